package fsm

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	*machinetest.Bench
	m    *Machine
	ring *Ring
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	ring := NewRing(1<<20, nil)
	b := machinetest.NewBench(t, o, machinetest.Spec{
		Make: func(st *store.Store) (replica.Machine, error) { return NewMachine(st, ring, wire.MaxValue) },
	})
	return &bench{Bench: b, m: b.Machine.(*Machine), ring: ring}
}

// apply executes one command as an entry of its own, at time b.Now.
func (b *bench) apply(op wire.Op, body []byte, read bool) wire.Response {
	b.T.Helper()
	b.Index++
	ans := b.Execute(machinetest.Command{Op: op, Body: body}, read)
	b.Finish()
	return ans
}

// TestOperations runs the files in testdata (machinetest.Scripts). Run it with -rewrite and read the difference when answers are to change.
//
//	apply [time=ms]    each line is a command with an entry of its own
//	txn [time=ms]      one transaction: lines "if db key version", then operations
//	read [wall=ms]     each line is a read beside the log
//	scan [wall=ms]     each line is a scan
//	watch [from=rev]   the events that the ring holds
func TestOperations(t *testing.T) {
	machinetest.Scripts(t, "testdata", newBench, (*bench).directive)
}

func (b *bench) directive(d *datadriven.TestData) string {
	var wall int64
	d.MaybeScanArgs(b.T, "wall", &wall)
	var out strings.Builder
	desk := NewDesk(b.m, func() int64 { return wall })
	switch d.Cmd {
	case "watch":
		return b.events(d)
	case "txn":
		return b.transaction(d.Input)
	}
	for line := range strings.Lines(d.Input) {
		s := parseScript(b.T, strings.TrimSpace(line))
		op, body := s.build()
		row := b.m.ops.Row(op)
		var ans wire.Response
		late := false
		switch d.Cmd {
		case "apply":
			if err := rehearse(desk, row, body); err != nil {
				ans = wire.Fail(err)
				out.WriteString("before: ")
			} else {
				ans = b.apply(op, body, s.has("read"))
			}
		case "force":
			ans = b.apply(op, body, false)
		case "read":
			var tx *Tx
			tx, late = desk.Read(row, body, false)
			ans = tx.Answer()
			ans.Body = append([]byte(nil), ans.Body...)
			desk.Done(tx)
		case "scan":
			ans, late = b.m.Scan(row, body, Request{Wall: wall, Stop: func() error { return nil }, Seed: 1})
		default:
			b.T.Fatalf("there is no directive %q", d.Cmd)
		}
		if late {
			out.WriteString("late ")
		}
		fmt.Fprintln(&out, show(op, body, &ans))
	}
	return out.String()
}

// rehearse is what the engine does before it proposes a client's command.
func rehearse(desk *Desk, row *Row, body []byte) error {
	if row.Run == nil || row.Kind == Own {
		return nil
	}
	return desk.Rehearse(row, body)
}

func (b *bench) transaction(input string) string {
	var m wire.KVTxn
	for line := range strings.Lines(input) {
		s := parseScript(b.T, strings.TrimSpace(line))
		if s.name == "if" {
			m.Compares = append(m.Compares, wire.KVCompare{DB: byte(s.num(s.args[0])), Key: s.arg(1), Version: uint64(s.num(s.args[2]))})
			continue
		}
		op, body := s.build()
		m.Ops = append(m.Ops, wire.KVOp{Op: op, Body: body})
	}
	body := m.Append(nil)
	ans := b.apply(wire.OpKVTxn, body, pureTxn(&Ops, body))
	return show(wire.OpKVTxn, body, &ans) + "\n"
}

func (b *bench) events(d *datadriven.TestData) string {
	var from uint64
	if d.HasArg("from") {
		d.ScanArgs(b.T, "from", &from)
	}
	at, _, ok := b.ring.Seek(from)
	if !ok {
		return "compacted\n"
	}
	var out strings.Builder
	for {
		s, ok := b.ring.Read(at)
		if !ok {
			return out.String() + "compacted\n"
		}
		r := wire.NewReader(s.Events)
		for r.Len() > 0 {
			if e := wire.TakeKVEvent(&r); e.Rev >= from {
				out.WriteString(showEvent(&e))
			}
		}
		at += int64(len(s.Events))
		b.ring.Release(s)
		if s.Last {
			return out.String()
		}
	}
}

func showEvent(e *wire.KVEvent) string {
	kind := map[wire.EventKind]string{
		wire.EventSet: "set", wire.EventDelete: "delete", wire.EventExpire: "expire", wire.EventFlush: "flush", wire.EventRefresh: "refresh",
	}[e.Kind]
	return fmt.Sprintf("%d %s db%d %q %q x%d\n", e.Rev, kind, e.DB, e.Key, e.Value, e.Expires)
}
