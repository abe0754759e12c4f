package resp

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"
)

func cmdPing(c *conn, args [][]byte) {
	switch len(args) {
	case 1:
		c.end(append(c.begin(), "+PONG\r\n"...))
	case 2:
		c.replyBulk(args[1])
	default:
		c.fail("ERR wrong number of arguments for 'ping' command")
	}
}

func cmdEcho(c *conn, args [][]byte) { c.replyBulk(args[1]) }

func cmdOK(c *conn, _ [][]byte) { c.replyOK() }

func cmdQuit(c *conn, _ [][]byte) {
	c.replyOK()
	c.over = errQuit
}

// cmdReset makes the connection what it was when it was new.
func cmdReset(c *conn, _ [][]byte) {
	c.txn, c.watched = nil, nil
	c.stopTracking()
	c.db = 0
	c.speak(false)
	c.mute = muting{}
	c.setAuthed(c.s.cfg.Password == nil)
	c.about.set(posture{libName: c.about.own.libName, libVer: c.about.own.libVer, queued: -1})
	c.end(append(c.begin(), "+RESET\r\n"...))
}

func (c *conn) speak(resp3 bool) {
	c.resp3 = resp3
	c.speaks3.Store(resp3)
}

func (c *conn) setAuthed(yes bool) {
	c.authed = yes
	c.parser.unauth = !yes
}

func cmdAuth(c *conn, args [][]byte) {
	if len(args) > 3 {
		c.failSyntax()
		return
	}
	user := []byte("default")
	if len(args) == 3 {
		user = args[1]
	} else if c.s.cfg.Password == nil {
		c.fail(errNoPassword)
		return
	}
	if !c.login(user, args[len(args)-1]) {
		c.fail(errWrongPass)
		return
	}
	c.replyOK()
}

// login judges credentials. Where none are asked for, the only user there is has any password.
func (c *conn) login(user, pass []byte) bool {
	ok := string(user) == "default"
	if c.s.cfg.Password != nil {
		ok = c.s.cfg.Password(string(user), string(pass))
	}
	if ok {
		c.setAuthed(true)
	}
	return ok
}

func cmdHello(c *conn, args [][]byte) {
	resp3 := c.resp3
	if len(args) > 1 {
		n, ok := parseInt(args[1])
		if !ok {
			c.fail("ERR Protocol version is not an integer or out of range")
			return
		}
		if n < 2 || n > 3 {
			c.fail("NOPROTO unsupported protocol version")
			return
		}
		resp3 = n == 3
	}
	var user, pass, name []byte
	for i := 2; i < len(args); i++ {
		left := len(args) - i - 1
		switch a := args[i]; {
		case fold(a, "auth") && left >= 2:
			user, pass = args[i+1], args[i+2]
			i += 2
		case fold(a, "setname") && left >= 1:
			name = args[i+1]
			if !validName(name) {
				c.fail(errClientName)
				return
			}
			i++
		default:
			c.fail("ERR Syntax error in HELLO option '" + cText(a, len(a)) + "'")
			return
		}
	}
	if user != nil && !c.login(user, pass) {
		c.fail(errWrongPass)
		return
	}
	if !c.authed {
		c.fail(errHelloAuth)
		return
	}
	if name != nil {
		p := c.about.own
		p.name = string(name)
		c.about.set(p)
	}
	c.speak(resp3)
	b := appendMap(c.begin(), 7, resp3)
	b = appendBulk(appendBulk(b, "server"), "redis")
	b = appendBulk(appendBulk(b, "version"), redisVersion)
	b = appendBulk(b, "proto")
	if resp3 {
		b = appendInt(b, 3)
	} else {
		b = appendInt(b, 2)
	}
	b = appendInt(appendBulk(b, "id"), int64(c.link.ID()))
	b = appendBulk(appendBulk(b, "mode"), "standalone")
	b = appendBulk(appendBulk(b, "role"), "master")
	c.end(appendArray(appendBulk(b, "modules"), 0))
}

// validName reports whether a client may be called so: lists separate names by spaces.
func validName(p []byte) bool {
	for _, ch := range p {
		if ch < '!' || ch > '~' {
			return false
		}
	}
	return true
}

func cmdTime(c *conn, _ [][]byte) {
	now := time.Now()
	b := appendArray(c.begin(), 2)
	b = appendBulk(b, strconv.FormatInt(now.Unix(), 10))
	c.end(appendBulk(b, strconv.Itoa(now.Nanosecond()/1000)))
}

func cmdRole(c *conn, _ [][]byte) {
	b := appendBulk(appendArray(c.begin(), 3), "master")
	c.end(appendArray(appendInt(b, 0), 0))
}

func cmdClusterDisabled(c *conn, _ [][]byte) { c.fail(errNoCluster) }

func cmdLolwut(c *conn, _ [][]byte) {
	c.end(appendVerbatim(c.begin(), "Flin "+c.s.cfg.Version+", in the words of Redis ver. "+redisVersion+"\n", c.resp3))
}

// newRunID returns a name for this start of the server.
func newRunID() string {
	var id [20]byte
	_, _ = rand.Read(id[:]) // never fails
	return hex.EncodeToString(id[:])
}
