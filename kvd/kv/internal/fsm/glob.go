package fsm

// globMatch reports whether s matches the pattern as in Redis's stringmatchlen: * ? [a-z] [^a-z] and \ before a byte that
// is to stand for itself. Its time is bounded by the product of the two lengths: once what follows a star has reached the
// end of s without a match, no star before it can do better.
func globMatch(pattern, s []byte) bool {
	if len(pattern) == 1 && pattern[0] == '*' {
		return true // also of the empty key, as KEYS and SCAN have it
	}
	skip := false
	return glob(pattern, s, &skip)
}

func glob(p, s []byte, skip *bool) bool {
	for len(p) > 0 && len(s) > 0 {
		switch p[0] {
		case '*':
			return globStar(p, s, skip)
		case '?':
			s = s[1:]
		case '[':
			var ok bool
			if p, ok = globClass(p[1:], s[0]); !ok {
				return false
			}
			s = s[1:]
		case '\\':
			if len(p) >= 2 {
				p = p[1:]
			}
			fallthrough
		default:
			if p[0] != s[0] {
				return false
			}
			s = s[1:]
		}
		if len(p) > 0 {
			p = p[1:]
		}
		if len(s) == 0 {
			for len(p) > 0 && p[0] == '*' {
				p = p[1:]
			}
			break
		}
	}
	return len(p) == 0 && len(s) == 0
}

// globStar matches s against a pattern that begins with a star, by trying what follows it everywhere.
func globStar(p, s []byte, skip *bool) bool {
	for len(p) > 0 && p[0] == '*' {
		p = p[1:]
	}
	if len(p) == 0 {
		return true
	}
	for ; len(s) > 0; s = s[1:] {
		if glob(p, s, skip) {
			return true
		}
		if *skip {
			return false
		}
	}
	*skip = true
	return false
}

// globClass matches c against a class whose bracket has been read. It returns the pattern from the closing bracket on;
// one that is missing is at the end.
func globClass(p []byte, c byte) (rest []byte, ok bool) {
	not := len(p) > 0 && p[0] == '^'
	if not {
		p = p[1:]
	}
	match := false
	for {
		switch {
		case len(p) >= 2 && p[0] == '\\':
			p = p[1:]
			match = match || p[0] == c
		case len(p) == 0:
			return p, match != not
		case p[0] == ']':
			return p, match != not
		case len(p) >= 3 && p[1] == '-':
			lo, hi := min(p[0], p[2]), max(p[0], p[2])
			p = p[2:]
			match = match || lo <= c && c <= hi
		default:
			match = match || p[0] == c
		}
		p = p[1:]
	}
}
