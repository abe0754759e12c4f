package resp

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// A transaction is one request, and so one entry of the log: EXEC runs the queued commands with their submits caught,
// sends what they ask for together, and puts the answers, and the replies that need no engine, in order.

// transaction is what came between MULTI and EXEC.
type transaction struct {
	queue   []queued
	size    int  // bytes of the arguments
	spoiled bool // EXEC will refuse
}

type queued struct {
	cmd  *command
	args [][]byte
}

// watchedKey is a key as it was when the client began to watch it.
type watchedKey struct {
	db      byte
	version uint64
	key     string
}

// endsTxn reports whether cmd is run at once even between MULTI and EXEC.
func endsTxn(cmd *command) bool {
	switch cmd.full {
	case "exec", "discard", "multi", "watch", "quit", "reset":
		return true
	}
	return false
}

// enqueue keeps a command for EXEC.
func (c *conn) enqueue(cmd *command, args [][]byte) {
	if cmd.flags&noMulti != 0 {
		c.reject("ERR Command not allowed inside a transaction")
		return
	}
	if cmd.flags&noTxn != 0 {
		c.reject("ERR " + upper(cmd.name) + " is not allowed in transactions: it cannot be part of one atomic entry")
		return
	}
	size := 0
	for _, a := range args {
		size += len(a)
	}
	if len(c.txn.queue) >= wire.MaxBatch || c.txn.size+size > wire.MaxCommand {
		c.reject("ERR transaction is over the limit of 10000 commands or 17825792 bytes")
		return
	}
	kept := make([][]byte, len(args))
	arena := make([]byte, 0, size)
	for i, a := range args {
		start := len(arena)
		arena = append(arena, a...)
		kept[i] = arena[start:len(arena):len(arena)]
	}
	c.txn.queue = append(c.txn.queue, queued{cmd, kept})
	c.txn.size += size
	c.end(append(c.begin(), "+QUEUED\r\n"...))
}

func cmdMulti(c *conn, _ [][]byte) {
	if c.txn != nil {
		c.fail("ERR MULTI calls can not be nested")
		return
	}
	c.txn = &transaction{}
	c.replyOK()
}

func cmdDiscard(c *conn, _ [][]byte) {
	if c.txn == nil {
		c.fail("ERR DISCARD without MULTI")
		return
	}
	c.txn, c.watched = nil, nil
	c.replyOK()
}

// cmdWatch reads the versions of keys, for EXEC to compare.
func cmdWatch(c *conn, args [][]byte) {
	if c.txn != nil {
		c.fail("ERR WATCH inside MULTI is not allowed")
		return
	}
	if len(c.watched)+len(args) > wire.MaxBatch {
		c.fail("ERR a client watches at most 10000 keys")
		return
	}
	for _, key := range args[1:] {
		if slices.ContainsFunc(c.watched, func(w watchedKey) bool { return w.db == c.db && w.key == string(key) }) {
			continue
		}
		c.body = (&wire.KVKey{DB: c.db, Key: key}).Append(c.body[:0])
		resp, ok := c.call(wire.OpKVStat, c.body)
		if !ok {
			return
		}
		switch resp.Code {
		case wire.OK:
		case wire.NotFound:
			resp.Rev = 0
		default:
			c.failWire(&resp)
			return
		}
		c.watched = append(c.watched, watchedKey{c.db, resp.Rev, string(key)})
	}
	c.replyOK()
}

func cmdUnwatch(c *conn, _ [][]byte) {
	if c.exec == nil { // in a transaction it has no effect: the keys have been compared, or will be
		c.watched = nil
	}
	c.replyOK()
}

func cmdExec(c *conn, _ [][]byte) {
	t, watched := c.txn, c.watched
	if t == nil {
		c.fail("ERR EXEC without MULTI")
		return
	}
	c.txn, c.watched = nil, nil
	if t.spoiled {
		c.fail("EXECABORT Transaction discarded because of previous errors.")
		return
	}
	e := &execution{}
	for _, q := range t.queue {
		c.exec = e
		before := len(e.parts)
		c.run(q.cmd, q.args)
		c.exec = nil
		if len(e.parts) == before {
			e.parts = append(e.parts, part{}) // it says nothing, as CLIENT REPLY OFF
		}
		if c.over != nil && c.over != errQuit { //nolint:errorlint // set by this package, never wrapped
			return
		}
	}
	c.cmd = c.s.commands.byName["exec"]
	if e.reading != nil {
		c.reading = e.reading
	}
	if len(e.ops) == 0 && len(watched) == 0 {
		none := wire.Response{}
		c.end(e.encode(c, c.begin(), &none, c.resp3))
		return
	}
	m := wire.KVTxn{Ops: e.ops}
	for _, w := range watched {
		m.Compares = append(m.Compares, wire.KVCompare{DB: w.db, Version: w.version, Key: []byte(w.key)})
	}
	c.body = m.Append(c.body[:0])
	e.ops = nil
	c.submit(wire.OpKVTxn, c.body, slot{shape: shapeExec, exec: e})
}
