package resp

// cmdHelp serves the HELP of every family of commands, out of the table.
func cmdHelp(c *conn, args [][]byte) {
	family := c.s.commands.lookup(args[0])
	lines := []string{upper(family.name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	for i := range family.subs {
		sub := &family.subs[i]
		if sub.name == "help" {
			continue
		}
		lines = append(lines, upper(sub.name), "    "+sub.summary)
	}
	if family.name == "debug" {
		lines = append(lines,
			"JMAP", "    Do nothing.",
			"SET-ACTIVE-EXPIRE <0|1>", "    Do nothing: keys that have expired are never seen.",
			"SLEEP <seconds>", "    Hold this connection for so long.")
	}
	lines = append(lines, "HELP", "    Prints this help.")
	b := appendArray(c.begin(), len(lines))
	for _, l := range lines {
		b = appendSimple(b, l)
	}
	c.end(b)
}
