package resp

import (
	"fmt"
	"strings"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdClientInfo(c *conn, _ [][]byte) {
	c.about.touch(c)
	c.end(appendVerbatim(c.begin(), c.describe()+"\n", c.resp3))
}

func cmdClientList(c *conn, args [][]byte) {
	c.about.touch(c)
	keep := func(*conn) bool { return true }
	switch {
	case len(args) == 2:
	case len(args) == 4 && fold(args[2], "type"):
		normal, ok := c.clientType(args[3])
		if !ok {
			return
		}
		keep = func(*conn) bool { return normal }
	case len(args) > 3 && fold(args[2], "id"):
		ids := make(map[uint64]bool)
		for _, a := range args[3:] {
			id, ok := parseInt(a)
			if !ok {
				c.fail("ERR Invalid client ID")
				return
			}
			ids[uint64(id)] = true
		}
		keep = func(o *conn) bool { return ids[o.link.ID()] }
	default:
		c.failSyntax()
		return
	}
	var text strings.Builder
	for _, o := range c.s.clients.list() {
		if keep(o) {
			text.WriteString(o.describe())
			text.WriteByte('\n')
		}
	}
	c.end(appendVerbatim(c.begin(), text.String(), c.resp3))
}

// clientType reads a type of clients and says whether those that are there are of it. It replies itself, and is not
// ok, if there is no such type.
func (c *conn) clientType(p []byte) (normal, ok bool) {
	switch {
	case fold(p, "normal"):
		return true, true
	case fold(p, "master"), fold(p, "slave"), fold(p, "replica"), fold(p, "pubsub"):
		return false, true
	}
	c.fail("ERR Unknown client type '" + cText(p, len(p)) + "'")
	return false, false
}

// describe returns the connection's line in CLIENT LIST. It may be called from any goroutine.
func (c *conn) describe() string {
	p, t := c.about.get(), c.tracking.Load()
	flags, redirect, last, version := "", int64(-1), "NULL", 2
	if p.queued >= 0 {
		flags += "x"
	}
	if t != nil {
		flags += "t"
		redirect = int64(t.redirect)
		if t.bcast {
			flags += "B"
		}
	}
	if p.noEvi {
		flags += "e"
	}
	if p.noTouch {
		flags += "T"
	}
	if flags == "" {
		flags = "N"
	}
	if cmd := c.about.cmd.Load(); cmd != nil {
		last = cmd.full
	}
	if p.resp3 {
		version = 3
	}
	nc := c.link.NetConn()
	return fmt.Sprintf("id=%d addr=%v laddr=%v fd=%d name=%s age=%d idle=%d flags=%s db=%d sub=0 psub=0 ssub=0 multi=%d "+
		"qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=%s user=default "+
		"redir=%d resp=%d lib-name=%s lib-ver=%s",
		c.link.ID(), nc.RemoteAddr(), nc.LocalAddr(), c.link.ID(), p.name, int(time.Since(c.link.Created()).Seconds()),
		(wire.Clock()-c.about.seen.Load())/int64(time.Second), flags, p.db, p.queued, last, redirect, version,
		p.libName, p.libVer)
}
