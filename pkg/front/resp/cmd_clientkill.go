package resp

import "errors"

// errKilled ends a connection that CLIENT KILL names.
var errKilled = errors.New("another client has killed the connection")

// victims says which connections CLIENT KILL is to end.
type victims struct {
	id           uint64
	addr, laddr  string
	nobody       bool // the type or user has no connections
	spareMyself  bool
	singleByAddr bool // the old form: one connection, by address
}

func cmdClientKill(c *conn, args [][]byte) {
	v := victims{spareMyself: true}
	if len(args) == 3 {
		v = victims{addr: string(args[2]), singleByAddr: true}
	} else if !c.parseVictims(&v, args[2:]) {
		return
	}
	killed, myself := 0, false
	for _, o := range c.s.clients.list() {
		if !v.names(o) || o == c && v.spareMyself {
			continue
		}
		killed++
		if o == c {
			myself = true
			continue
		}
		o.link.Close(errKilled)
		o.unlist()
	}
	switch {
	case !v.singleByAddr:
		c.replyInt(int64(killed))
	case killed == 0:
		c.fail("ERR No such client")
	default:
		c.replyOK()
	}
	if myself {
		c.over = errKilled
	}
}

// unlist takes a connection out of the list at once: who killed it must not find it there.
func (c *conn) unlist() { c.s.clients.remove(c) }

func (v *victims) names(o *conn) bool {
	nc := o.link.NetConn()
	return !v.nobody && (v.id == 0 || v.id == o.link.ID()) && (v.addr == "" || v.addr == nc.RemoteAddr().String()) &&
		(v.laddr == "" || v.laddr == nc.LocalAddr().String())
}

func (c *conn) parseVictims(v *victims, args [][]byte) bool {
	if len(args)%2 != 0 {
		c.failSyntax()
		return false
	}
	for i := 0; i < len(args); i += 2 {
		switch a, x := args[i], args[i+1]; {
		case fold(a, "id"):
			id, ok := clientID(x)
			if !ok {
				c.fail("ERR client-id should be greater than 0")
				return false
			}
			v.id = id
		case fold(a, "addr"):
			v.addr = string(x)
		case fold(a, "laddr"):
			v.laddr = string(x)
		case fold(a, "type"):
			normal, ok := c.clientType(x)
			if !ok {
				return false
			}
			v.nobody = v.nobody || !normal
		case fold(a, "user"):
			if string(x) != "default" {
				c.fail("ERR No such user '" + cText(x, len(x)) + "'")
				return false
			}
		case fold(a, "skipme") && (fold(x, "yes") || fold(x, "no")):
			v.spareMyself = fold(x, "yes")
		default:
			c.failSyntax()
			return false
		}
	}
	return true
}
