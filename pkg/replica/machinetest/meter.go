package machinetest

import (
	"runtime"
	"time"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Meter keeps the time that a machine takes, without that of the store's flushes.
type Meter struct {
	Ans   wire.Response // to the last command
	Spent time.Duration

	bench *Bench
	cmd   replica.Command
}

// NewMeter returns a Meter of a bench's machine.
func NewMeter(b *Bench) *Meter { return &Meter{bench: b} }

// Run executes commands as one entry. They have to succeed.
func (m *Meter) Run(op wire.Op, bodies ...[]byte) {
	b := m.bench
	b.Index++
	start := time.Now()
	for _, body := range bodies {
		b.Rev++
		m.cmd = replica.Command{Op: op, Body: body, Index: b.Index, Revision: b.Rev, Time: b.Now, Wanted: true}
		m.Ans = wire.Response{}
		if err := b.Machine.Apply(&m.cmd, &m.Ans); err != nil {
			b.T.Fatal(err)
		}
		if m.Ans.Code != wire.OK {
			b.T.Fatalf("%v: %v %s", op, m.Ans.Code, m.Ans.Body)
		}
	}
	b.Seal()
	m.Spent += time.Since(start)
	b.Finish()
}

// HeapInUse is how many bytes of the heap are alive.
func HeapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}
