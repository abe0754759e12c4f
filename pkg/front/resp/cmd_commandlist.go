package resp

import (
	"slices"
	"strings"
)

// cmdCommandDocs describes the commands named, or all. Of one that does not exist it says nothing.
func cmdCommandDocs(c *conn, args [][]byte) {
	var found []*command
	if len(args) == 2 {
		for i := range c.s.commands.rows {
			found = append(found, &c.s.commands.rows[i])
		}
	}
	for _, name := range args[2:] {
		if cmd := c.s.commands.named(name); cmd != nil {
			found = append(found, cmd)
		}
	}
	b := appendMap(c.begin(), len(found), c.resp3)
	for _, cmd := range found {
		b = cmd.appendDocs(appendBulk(b, cmd.full), c.resp3)
	}
	c.end(b)
}

// appendDocs appends what COMMAND DOCS says of a command.
func (c *command) appendDocs(b []byte, resp3 bool) []byte {
	n := 3
	if c.deprecated != "" {
		n += 3
	}
	if len(c.subs) > 0 {
		n++
	}
	b = appendMap(b, n, resp3)
	b = appendBulk(appendBulk(b, "summary"), c.summary)
	b = appendBulk(appendBulk(b, "since"), c.since)
	b = appendBulk(appendBulk(b, "group"), c.group)
	if c.deprecated != "" {
		b = appendSimple(appendSet(appendBulk(b, "doc_flags"), 1, resp3), "deprecated")
		b = appendBulk(appendBulk(b, "deprecated_since"), c.deprecated)
		b = appendBulk(appendBulk(b, "replaced_by"), c.replacedBy)
	}
	if len(c.subs) > 0 {
		b = appendMap(appendBulk(b, "subcommands"), len(c.subs), resp3)
		for i := range c.subs {
			b = c.subs[i].appendDocs(appendBulk(b, c.subs[i].full), resp3)
		}
	}
	return b
}

// cmdCommandList names the commands, subcommands too if a filter is given.
func cmdCommandList(c *conn, args [][]byte) {
	var names []string
	var keep func(*command) bool
	switch {
	case len(args) == 2:
		for i := range c.s.commands.rows {
			names = append(names, c.s.commands.rows[i].full)
		}
		c.replyNames(names)
		return
	case len(args) != 5 || !fold(args[2], "filterby"):
		c.failSyntax()
		return
	case fold(args[3], "module"):
		keep = func(*command) bool { return false }
	case fold(args[3], "aclcat"):
		cat := "@" + strings.ToLower(string(args[4]))
		keep = func(cmd *command) bool { return slices.Contains(cmd.categories(), cat) }
	case fold(args[3], "pattern"):
		pattern := strings.ToLower(string(args[4]))
		keep = func(cmd *command) bool { return matchGlob(pattern, cmd.full) }
	default:
		c.failSyntax()
		return
	}
	for _, cmd := range c.s.commands.all {
		if keep(cmd) {
			names = append(names, cmd.full)
		}
	}
	c.replyNames(names)
}

func (c *conn) replyNames(names []string) {
	b := appendArray(c.begin(), len(names))
	for _, n := range names {
		b = appendBulk(b, n)
	}
	c.end(b)
}

func cmdCommandGetkeys(c *conn, args [][]byte)         { c.commandKeys(args[2:], false) }
func cmdCommandGetkeysandflags(c *conn, args [][]byte) { c.commandKeys(args[2:], true) }

// commandKeys replies with the keys of the command that line is.
func (c *conn) commandKeys(line [][]byte, flags bool) {
	cmd := c.s.commands.lookup(line[0])
	if cmd != nil && cmd.subs != nil && len(line) > 1 {
		if sub := cmd.sub(line[1]); sub != nil {
			cmd = sub
		}
	}
	switch {
	case cmd == nil:
		c.fail("ERR Invalid command specified")
		return
	case len(cmd.keys) == 0:
		c.fail("ERR The command has no key arguments")
		return
	case !cmd.takes(len(line)):
		c.fail("ERR Invalid number of arguments specified for command")
		return
	}
	n := 0
	cmd.positions(len(line), func(int, keyFlag) { n++ })
	b := appendArray(c.begin(), n)
	cmd.positions(len(line), func(i int, f keyFlag) {
		if !flags {
			b = appendBulk(b, line[i])
			return
		}
		b = appendBulk(appendArray(b, 2), line[i])
		b = appendStatusSet(b, keyFlagNames(f), c.resp3)
	})
	c.end(b)
}
