package resp

// flagNames are the flags of COMMAND INFO, in its order.
func flagNames(f flag, movable bool) []string {
	var names []string
	for _, n := range []struct {
		flag flag
		name string
	}{
		{isWrite, "write"},
		{isRead, "readonly"},
		{denyOOM, "denyoom"},
		{isAdmin, "admin"},
		{noScript, "noscript"},
		{isBlocking, "blocking"},
		{loading, "loading"},
		{stale, "stale"},
		{skipSlowlog, "skip_slowlog"},
		{isFast, "fast"},
		{noAuth, "no_auth"},
		{noAsyncLoading, "no_async_loading"},
		{noMulti, "no_multi"},
		{allowBusy, "allow_busy"},
	} {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	if movable {
		names = append(names, "movablekeys")
	}
	return names
}

// categories are the ACL categories of a command, some of which follow from its flags.
func (c *command) categories() []string {
	f := c.flags
	var names []string
	for _, n := range []struct {
		is   bool
		name string
	}{
		{f&catKeyspace != 0, "@keyspace"},
		{f&isRead != 0, "@read"},
		{f&isWrite != 0, "@write"},
		{f&catString != 0, "@string"},
		{f&catBitmap != 0, "@bitmap"},
		{f&(isAdmin|catAdmin) != 0, "@admin"},
		{f&isFast != 0, "@fast"},
		{f&isFast == 0, "@slow"},
		{f&isBlocking != 0, "@blocking"},
		{f&(isAdmin|catDangerous) != 0, "@dangerous"},
		{f&catConnection != 0, "@connection"},
		{f&catTransaction != 0, "@transaction"},
	} {
		if n.is {
			names = append(names, n.name)
		}
	}
	return names
}

// keyFlagNames are the flags of a key specification.
func keyFlagNames(f keyFlag) []string {
	var names []string
	for _, n := range []struct {
		flag keyFlag
		name string
	}{
		{keyRO, "RO"},
		{keyRW, "RW"},
		{keyOW, "OW"},
		{keyRM, "RM"},
		{keyAccess, "access"},
		{keyUpdate, "update"},
		{keyInsert, "insert"},
		{keyDelete, "delete"},
		{keyVariable, "variable_flags"},
	} {
		if f&n.flag != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// span returns the positions of the keys as older clients know them: first, last and step.
func (c *command) span() (first, last, step int) {
	if len(c.keys) == 0 {
		return 0, 0, 0
	}
	end := c.keys[len(c.keys)-1]
	last = end.last
	if last >= 0 {
		last += end.first
	}
	return c.keys[0].first, last, c.keys[0].step
}

// cmdCommand serves COMMAND without a subcommand: all there is.
func cmdCommand(c *conn, _ [][]byte) {
	rows := c.s.commands.rows
	b := appendArray(c.begin(), len(rows))
	for i := range rows {
		b = rows[i].appendInfo(b, c.resp3)
	}
	c.end(b)
}

func cmdCommandCount(c *conn, _ [][]byte) { c.replyInt(int64(len(c.s.commands.rows))) }

func cmdCommandInfo(c *conn, args [][]byte) {
	if len(args) == 2 {
		cmdCommand(c, args)
		return
	}
	b := appendArray(c.begin(), len(args)-2)
	for _, name := range args[2:] {
		if cmd := c.s.commands.named(name); cmd != nil {
			b = cmd.appendInfo(b, c.resp3)
		} else {
			b = appendNullArray(b, c.resp3)
		}
	}
	c.end(b)
}

// named finds a command, or a subcommand by its family's name, a bar and its own.
func (t *commands) named(name []byte) *command {
	for i, ch := range name {
		if ch == '|' {
			family := t.lookup(name[:i])
			if family == nil {
				return nil
			}
			return family.sub(name[i+1:])
		}
	}
	return t.lookup(name)
}

// appendInfo appends what COMMAND INFO says of a command.
func (c *command) appendInfo(b []byte, resp3 bool) []byte {
	first, last, step := c.span()
	b = appendBulk(appendArray(b, 10), c.full)
	b = appendInt(b, int64(c.arity))
	b = appendStatusSet(b, flagNames(c.flags, false), resp3)
	b = appendInt(appendInt(appendInt(b, int64(first)), int64(last)), int64(step))
	b = appendStatusSet(b, c.categories(), resp3)
	b = appendSet(b, len(c.tips), resp3)
	for _, tip := range c.tips {
		b = appendBulk(b, tip)
	}
	b = appendSet(b, len(c.keys), resp3)
	for _, k := range c.keys {
		b = k.append(b, resp3)
	}
	b = appendSet(b, len(c.subs), resp3)
	for i := range c.subs {
		b = c.subs[i].appendInfo(b, resp3)
	}
	return b
}

func appendStatusSet(b []byte, names []string, resp3 bool) []byte {
	b = appendSet(b, len(names), resp3)
	for _, n := range names {
		b = appendSimple(b, n)
	}
	return b
}

func (k keySpec) append(b []byte, resp3 bool) []byte {
	if k.note == "" {
		b = appendMap(b, 3, resp3)
	} else {
		b = appendBulk(appendBulk(appendMap(b, 4, resp3), "notes"), k.note)
	}
	b = appendStatusSet(appendBulk(b, "flags"), keyFlagNames(k.flags), resp3)
	b = appendMap(appendBulk(b, "begin_search"), 2, resp3)
	b = appendBulk(appendBulk(b, "type"), "index")
	b = appendMap(appendBulk(b, "spec"), 1, resp3)
	b = appendInt(appendBulk(b, "index"), int64(k.first))
	b = appendMap(appendBulk(b, "find_keys"), 2, resp3)
	b = appendBulk(appendBulk(b, "type"), "range")
	b = appendMap(appendBulk(b, "spec"), 3, resp3)
	b = appendInt(appendBulk(b, "lastkey"), int64(k.last))
	b = appendInt(appendBulk(b, "keystep"), int64(k.step))
	return appendInt(appendBulk(b, "limit"), 0)
}
