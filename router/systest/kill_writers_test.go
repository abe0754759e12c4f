package systest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// deed is what an intent asks for.
type deed int

const (
	deedSet deed = iota
	deedDelete
	deedExpire
	deedPersist
	deedSetGroup    // several keys in one command
	deedSetMulti    // several keys in a MULTI or a native transaction
	deedDeleteGroup // several keys in one command
	deedRename      // the first key becomes the second
	deedFlush       // everything in the writer's database goes
)

// intent is one write that a writer is about to ask for: its keys, in order, and what it leaves in them.
type intent struct {
	deed   deed
	keys   []string
	change change
}

const (
	singleKeys = 24 // of a writer
	groups     = 3  // of a writer
	groupKeys  = 8  // of a group; written together and never otherwise
)

// writer makes up writes to a database that nobody else writes, and keeps the ledger of its keys.
type writer struct {
	name   string
	db     int
	rng    *rand.Rand
	ledger *ledger
	blind  bool // no write depends on what the one before it has left
}

func newWriter(name string, db int, seed uint64) *writer {
	return &writer{name: name, db: db, rng: rand.New(rand.NewPCG(seed, uint64(db))), ledger: newLedger()}
}

// far makes up writes for a server whose engine is another process: it may end and be there again between two commands of one
// pipeline, so that any of them may have been executed without the one before it.
func (w *writer) far() *writer {
	w.blind, w.ledger.holes = true, true
	return w
}

func (w *writer) group(g int) []string {
	keys := make([]string, groupKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("%s/group%d/%d", w.name, g, i)
	}
	return keys
}

func (w *writer) size() int {
	if w.rng.IntN(8) == 0 {
		return largeValue
	}
	return smallValue
}

// next makes up a write. Half of them are to the first few keys, so that these are overwritten within one flush.
func (w *writer) next() intent {
	w.ledger.seq++
	seq := w.ledger.seq
	key := fmt.Sprintf("%s/%d", w.name, w.rng.IntN(singleKeys))
	if w.rng.IntN(2) == 0 {
		key = fmt.Sprintf("%s/%d", w.name, w.rng.IntN(3))
	}
	one := func(d deed, s state) intent { return intent{deed: d, keys: []string{key}, change: change{key: s}} }
	now := w.ledger.now(key)
	n := w.rng.IntN(100)
	if w.blind && n >= 78 && n < 90 {
		n = 0
	}
	switch {
	case n < 50:
		return one(deedSet, state{seq: seq, size: w.size()})
	case n < 58:
		return one(deedSet, state{seq: seq, size: w.size(), ttl: 3_600_000})
	case n < 64:
		return one(deedSet, state{seq: seq, size: w.size(), ttl: 100 + w.rng.Int64N(2000)})
	case n < 78:
		return one(deedDelete, state{})
	case n < 84 && (now.ttl == 0 || now.ttl == 3_600_000):
		if now.seq != 0 {
			now.ttl, now.maxExpires = 3_600_000, 0
		}
		return one(deedExpire, now)
	case n < 88 && (now.ttl == 0 || now.ttl == 3_600_000):
		now.ttl, now.minExpires, now.maxExpires = 0, 0, 0
		return one(deedPersist, now)
	case n < 90 && now.seq != 0 && now.ttl == 0:
		to := fmt.Sprintf("%s/%d", w.name, w.rng.IntN(singleKeys))
		if to == key {
			return one(deedDelete, state{})
		}
		if now.of == "" {
			now.of = key
		}
		return intent{deed: deedRename, keys: []string{key, to}, change: change{key: state{}, to: now}}
	case n == 90 && w.rng.IntN(4) == 0:
		in := intent{deed: deedFlush, keys: w.ledger.keys(), change: change{}}
		for _, k := range in.keys {
			in.change[k] = state{}
		}
		if len(in.keys) > 0 {
			return in
		}
	}
	in := intent{deed: deedSetGroup, keys: w.group(w.rng.IntN(groups)), change: change{}}
	switch w.rng.IntN(4) {
	case 0:
		in.deed = deedDeleteGroup
	case 1, 2:
		in.deed = deedSetMulti
	}
	for _, k := range in.keys {
		in.change[k] = state{}
		if in.deed != deedDeleteGroup {
			in.change[k] = state{seq: seq, size: w.size()}
		}
	}
	return in
}

// value returns what the intent writes to key.
func (in intent) value(key string) string {
	s := in.change[key]
	return string(payload(key, s.seq, s.size))
}

// storm is what all writers of one run share.
type storm struct {
	addrs []string // at which the platform serves
	// far says that engines are processes of their own. Then a connection outlives the death of an engine: some of the commands in a
	// pipeline are answered that they may or may not have been executed, and those behind them are executed all the same.
	far  bool
	fail func(format string, args ...any) // marks the test as failed

	given atomic.Int64
}

func newStorm(t testing.TB, s *server) *storm {
	return &storm{addrs: s.ports(), far: s.behind != nil, fail: t.Errorf}
}

// addr returns an address for a client, which must stay with it: what a router that was killed has passed on is executed before what
// comes through it later, but perhaps not before what comes through another one.
func (st *storm) addr() string {
	return st.addrs[int(st.given.Add(1))%len(st.addrs)]
}

// refused says what an error answer means for its command, and fails the test if a server that is killed now and then has
// no reason for it.
func (st *storm) refused(text string) outcome {
	switch {
	case strings.HasPrefix(text, "CLUSTERDOWN "):
		return notDone
	case strings.HasPrefix(text, "ERR ") && strings.Contains(text, "may or may not"):
		return unknown
	}
	st.fail("a command was answered %q", text)
	return unknown
}

// again calls try until it succeeds or ctx ends. Between two attempts it waits a moment: a server that is being started
// gives no sign before its listener is there.
func again(ctx context.Context, try func() error) bool {
	for ctx.Err() == nil {
		if try() == nil {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// pipeWriter writes by pipelining RESP commands, dozens at a time.
type pipeWriter struct {
	*writer
	storm *storm
	depth int
}

func (w *pipeWriter) run(ctx context.Context) {
	addr := w.storm.addr()
	for ctx.Err() == nil {
		var p *pipe
		ok := again(ctx, func() (err error) {
			if p, err = dialPipe(addr); err != nil {
				return err
			}
			found, err := readKeys(p, w.db, w.ledger.keys())
			if err != nil {
				p.close()
				return err
			}
			if err := w.ledger.settle(found); err != nil {
				w.storm.fail("%s: after a reconnect: %v", w.name, err)
			}
			return nil
		})
		if !ok {
			return
		}
		for ctx.Err() == nil {
			if err := w.burst(p); err != nil {
				break
			}
		}
		p.close()
	}
}

// burst sends a pipeline of writes and reads its answers. After an error the connection is not used any more.
func (w *pipeWriter) burst(p *pipe) error {
	sent := make([]intent, 0, w.depth)
	var lost error
	for range w.depth {
		in := w.next()
		w.ledger.sent(in.change)
		in.send(p)
		sent = append(sent, in)
	}
	if err := p.flush(); err != nil {
		return err
	}
	for _, in := range sent {
		refused := ""
		for range in.answers() {
			v, err := p.read()
			if err != nil {
				return err
			}
			if e, ok := v.(replyError); ok {
				refused = string(e)
			}
			if list, ok := v.([]any); ok {
				for _, v := range list {
					if e, ok := v.(replyError); ok {
						w.storm.fail("%s: a command inside EXEC answered %q", w.name, e)
					}
				}
			}
		}
		switch {
		case refused == "":
			w.ledger.answered()
		case w.storm.refused(refused) == notDone:
			w.ledger.refused()
		case w.storm.far:
			w.ledger.lost()
			lost = replyError(refused)
		default:
			return replyError(refused)
		}
	}
	return lost
}

// send writes the intent as RESP commands.
func (in intent) send(p *pipe) {
	key := in.keys[0]
	s := in.change[key]
	switch in.deed {
	case deedSet:
		if s.ttl != 0 {
			p.send("SET", key, in.value(key), "PX", strconv.FormatInt(s.ttl, 10))
			return
		}
		p.send("SET", key, in.value(key))
	case deedDelete:
		p.send("DEL", key)
	case deedExpire:
		p.send("PEXPIRE", key, "3600000")
	case deedPersist:
		p.send("PERSIST", key)
	case deedSetGroup:
		args := []string{"MSET"}
		for _, k := range in.keys {
			args = append(args, k, in.value(k))
		}
		p.send(args...)
	case deedSetMulti:
		p.send("MULTI")
		for _, k := range in.keys {
			p.send("SET", k, in.value(k))
		}
		p.send("EXEC")
	case deedDeleteGroup:
		p.send(append([]string{"DEL"}, in.keys...)...)
	case deedRename:
		p.send("RENAME", key, in.keys[1])
	case deedFlush:
		p.send("FLUSHDB")
	}
}

// answers is how many replies the commands of send get.
func (in intent) answers() int {
	if in.deed == deedSetMulti {
		return len(in.keys) + 2
	}
	return 1
}

// readKeys reads keys of a database, which stays chosen, with their expiries, each in a MULTI of its own so that the two
// belong together.
func readKeys(p *pipe, db int, keys []string) (map[string]observed, error) {
	found := make(map[string]observed, len(keys))
	if _, err := p.do("SELECT", strconv.Itoa(db)); err != nil {
		return nil, err
	}
	const chunk = 16 // the answers to a chunk fit the socket buffers or nearly so
	for len(keys) > 0 {
		part := keys[:min(chunk, len(keys))]
		keys = keys[len(part):]
		before := time.Now().UnixMilli()
		for _, k := range part {
			p.send("MULTI")
			p.send("GET", k)
			p.send("PEXPIRETIME", k)
			p.send("EXEC")
		}
		if err := p.flush(); err != nil {
			return nil, err
		}
		for _, k := range part {
			o, err := readKey(p)
			if err != nil {
				return nil, fmt.Errorf("read %s: %w", k, err)
			}
			o.before, o.after = before, time.Now().UnixMilli()
			found[k] = o
		}
	}
	return found, nil
}

func readKey(p *pipe) (observed, error) {
	var last any
	for range 4 {
		v, err := p.read()
		if err != nil {
			return observed{}, err
		}
		if e, ok := v.(replyError); ok {
			return observed{}, e
		}
		last = v
	}
	list, ok := last.([]any)
	if !ok || len(list) != 2 {
		return observed{}, fmt.Errorf("EXEC answered %v", last)
	}
	var o observed
	o.value, _ = list[0].([]byte)
	if at, ok := list[1].(int64); ok && at > 0 {
		o.expires = at
	}
	return o, nil
}
