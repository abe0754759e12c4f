package resp

// matchGlob reports whether s matches a pattern of literal bytes, * for any number of any, ? for one, and [a-z] for
// one of a set. It takes no longer than the product of the two lengths.
func matchGlob(pattern, s string) bool {
	starPattern, starS, star := "", "", false
	for {
		ok, restP, restS := matchOne(pattern, s)
		switch {
		case len(pattern) > 0 && pattern[0] == '*':
			pattern = pattern[1:]
			starPattern, starS, star = pattern, s, true
			continue
		case len(pattern) == 0 && len(s) == 0:
			return true
		case ok:
			pattern, s = restP, restS
			continue
		case !star || len(starS) == 0:
			return false
		}
		starS = starS[1:] // the last star takes one byte more
		pattern, s = starPattern, starS
	}
}

// matchOne matches the front of a pattern, which is no star, with one byte, and returns what is left of both.
func matchOne(pattern, s string) (ok bool, restPattern, restS string) {
	if len(pattern) == 0 || len(s) == 0 {
		return false, "", ""
	}
	switch pattern[0] {
	case '[':
		ok, restPattern = matchSet(pattern[1:], s[0])
		return ok, restPattern, s[1:]
	case '?':
		return true, pattern[1:], s[1:]
	case '\\':
		if len(pattern) > 1 {
			pattern = pattern[1:]
		}
	}
	return pattern[0] == s[0], pattern[1:], s[1:]
}

// matchSet reports whether b is of the set at the front of p, behind its bracket, and returns what follows it.
func matchSet(p string, b byte) (ok bool, rest string) {
	not := len(p) > 0 && p[0] == '^'
	if not {
		p = p[1:]
	}
	for len(p) > 0 && p[0] != ']' {
		switch {
		case p[0] == '\\' && len(p) > 1:
			ok = ok || p[1] == b
			p = p[2:]
		case len(p) > 2 && p[1] == '-':
			ok = ok || min(p[0], p[2]) <= b && b <= max(p[0], p[2])
			p = p[3:]
		default:
			ok = ok || p[0] == b
			p = p[1:]
		}
	}
	if len(p) > 0 {
		p = p[1:]
	}
	return ok != not, p
}
