package resp

import "slices"

func cmdClientID(c *conn, _ [][]byte) { c.replyInt(int64(c.link.ID())) }

func cmdClientGetname(c *conn, _ [][]byte) {
	if c.about.own.name == "" {
		c.replyNull()
		return
	}
	c.end(appendBulk(c.begin(), c.about.own.name))
}

func cmdClientSetname(c *conn, args [][]byte) {
	if !validName(args[2]) {
		c.fail(errClientName)
		return
	}
	p := c.about.own
	p.name = string(args[2])
	c.about.set(p)
	c.replyOK()
}

func cmdClientSetinfo(c *conn, args [][]byte) {
	p := c.about.own
	var field *string
	name := "lib-name"
	switch {
	case fold(args[2], "lib-name"):
		field = &p.libName
	case fold(args[2], "lib-ver"):
		field, name = &p.libVer, "lib-ver"
	default:
		c.fail("ERR Unrecognized option '" + cText(args[2], len(args[2])) + "'")
		return
	}
	if !validName(args[3]) {
		c.fail("ERR " + name + " cannot contain spaces, newlines or special characters.")
		return
	}
	*field = string(args[3])
	c.about.set(p)
	c.replyOK()
}

// cmdClientOnOff serves CLIENT NO-EVICT and NO-TOUCH: nothing is evicted.
func cmdClientOnOff(c *conn, args [][]byte) {
	p := c.about.own
	on := fold(args[2], "on")
	if !on && !fold(args[2], "off") {
		c.failSyntax()
		return
	}
	if c.cmd.name == "no-evict" {
		p.noEvi = on
	} else {
		p.noTouch = on
	}
	c.about.set(p)
	c.replyOK()
}

// cmdClientPause agrees and does nothing: there is no failover that it could serve.
func cmdClientPause(c *conn, args [][]byte) {
	if len(args) > 4 || len(args) == 4 && !fold(args[3], "write") && !fold(args[3], "all") {
		c.failSyntax()
		return
	}
	n, ok := parseInt(args[2])
	switch {
	case !ok:
		c.fail("ERR timeout is not an integer or out of range")
	case n < 0:
		c.fail("ERR timeout is negative")
	default:
		c.replyOK()
	}
}

func cmdClientUnblock(c *conn, args [][]byte) {
	if len(args) == 4 && !fold(args[3], "timeout") && !fold(args[3], "error") {
		c.fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
		return
	}
	if len(args) > 4 {
		c.failArity()
		return
	}
	id, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	why := endedNull
	if len(args) == 4 && fold(args[3], "error") {
		why = endedError
	}
	if o := c.s.clients.get(uint64(id)); o != nil && o.unblock(why) {
		c.replyInt(1)
		return
	}
	c.replyInt(0)
}

func cmdClientReply(c *conn, args [][]byte) {
	switch a := args[2]; {
	case fold(a, "on"):
		c.mute = muting{}
		c.replyOK()
	case fold(a, "off"):
		c.mute.off = true
	case fold(a, "skip"):
		c.mute.skip = !c.mute.off
	default:
		c.failSyntax()
	}
}

func cmdClientGetredir(c *conn, _ [][]byte) {
	t := c.tracking.Load()
	if t == nil {
		c.replyInt(-1)
		return
	}
	c.replyInt(int64(t.redirect))
}

func cmdClientTrackinginfo(c *conn, _ [][]byte) {
	t := c.tracking.Load()
	flags := []string{"off"}
	redirect := int64(-1)
	if t != nil {
		flags[0] = "on"
		add := func(is bool, name string) {
			if is {
				flags = append(flags, name)
			}
		}
		add(t.bcast, "bcast")
		add(t.optIn, "optin")
		add(t.optIn && c.caching, "caching-yes")
		add(t.optOut, "optout")
		add(t.optOut && c.caching, "caching-no")
		add(t.noLoop, "noloop")
		redirect = int64(t.redirect)
		add(redirect != 0 && c.s.clients.get(t.redirect) == nil, "broken_redirect")
	} else {
		t = &tracking{}
	}
	b := appendMap(c.begin(), 3, c.resp3)
	b = appendSet(appendBulk(b, "flags"), len(flags), c.resp3)
	for _, f := range flags {
		b = appendBulk(b, f)
	}
	b = appendInt(appendBulk(b, "redirect"), redirect)
	b = appendArray(appendBulk(b, "prefixes"), len(t.prefixes))
	for _, p := range slices.Sorted(slices.Values(t.prefixes)) {
		b = appendBulk(b, p)
	}
	c.end(b)
}

func (c *conn) failArity() { c.fail("ERR wrong number of arguments for '" + c.cmd.full + "' command") }

// clientID reads the number of a client.
func clientID(p []byte) (uint64, bool) {
	n, ok := parseInt(p)
	return uint64(n), ok && n > 0
}
