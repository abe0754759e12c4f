package engine

import "github.com/skshohagmiah/flin/pkg/wire"

// Table is the Engine that hands each request to the engine its operation names. It is filled before it is used.
type Table struct {
	process string // what this process is, for those who ask for what it has not
	engines [256]Engine
}

// NewTable returns a table without engines. process is named in the answer to requests for an engine that is not there.
func NewTable(process string) *Table { return &Table{process: process} }

// Put makes e answer the operations of id.
func (t *Table) Put(id wire.EngineID, e Engine) { t.engines[id] = e }

// Submit hands the request on, or answers Unsupported.
func (t *Table) Submit(req wire.Request, r Replier) {
	if e := t.engines[req.Op.Engine()]; e != nil {
		e.Submit(req, r)
		return
	}
	r.Reply(req.Tag, wire.Failf(wire.Unsupported, "this is %s: it has no %s engine to do %v", t.process, req.Op.Engine(), req.Op))
}

// Cancel withdraws the request wherever it is.
func (t *Table) Cancel(r Replier, tag uint64) {
	for _, e := range t.engines {
		if e != nil {
			e.Cancel(r, tag)
		}
	}
}

// Credit grants the request answers wherever it is.
func (t *Table) Credit(r Replier, tag uint64, n int) {
	for _, e := range t.engines {
		if e != nil {
			e.Credit(r, tag, n)
		}
	}
}
