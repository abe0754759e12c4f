package doc

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/plan"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// verdict is what becomes of a scan behind a document.
type verdict uint8

const (
	goOn   verdict = iota
	enough         // the scan stops behind the document
	notYet         // the scan stops before it: it comes again when the scan goes on
)

// scan goes along a plan. It can be stopped and go on later, over another view.
type scan struct {
	plan   *plan.Plan
	filter *filter.Filter // what is to be matched still; nil if nothing
	own    *filter.Filter // that of the query
	memory int            // bytes that seen may have

	at   int                 // how many ranges are done
	rest []byte              // where the range under way goes on: its From, or with plan.Reverse its To; nil: it has not begun
	done bool                // nothing follows
	seen map[string]struct{} // the keys of the _ids of documents that may come again
	used int                 // bytes of seen

	// What a transaction, or a batch, has written itself comes in the place of what the store has, at the end.
	over    *draftColl // nil: nothing
	covered int        // documents of over.all that count: those behind them were written later, so the store's come
	looked  int        // of them that were looked at

	keys, docs int64 // that were examined
	told       struct{ keys, docs int64 }
	id, buf    []byte
}

// pulse is how many keys are looked at between two looks at whether that is wanted still.
const pulse = 256

// sizeOfSeen is what a key costs in scan.seen beside its bytes.
const sizeOfSeen = 48

// run calls fn for the documents that match, from where the scan is, until fn says otherwise. What fn gets is valid during the call
// only; id is the key of the _id. stop is asked now and then.
func (s *scan) run(r *fsm.Reader, stop func() error, fn func(id []byte, doc bsoncore.Document, version uint64) verdict) error {
	w := walk{scan: s, r: r, stop: stop, fn: fn}
	ranges := s.plan.Ranges
	for s.at < len(ranges) {
		rg := ranges[s.at]
		if s.plan.Reverse {
			rg = ranges[len(ranges)-1-s.at]
		}
		if s.rest != nil && s.plan.Reverse {
			rg.To = s.rest
		} else if s.rest != nil {
			rg.From = s.rest
		}
		var err error
		if s.plan.Index == nil {
			err = r.Scan(rg.From, rg.To, s.plan.Reverse, w.document)
		} else {
			err = r.IndexScan(s.plan.Index, rg.From, rg.To, s.plan.Reverse, w.entry)
		}
		if err == nil {
			err = w.err
		}
		if err != nil || w.stopped {
			return err
		}
		s.at, s.rest = s.at+1, nil
	}
	if s.over != nil {
		if w.drafts(); w.err != nil || w.stopped {
			return w.err
		}
	}
	s.done = true
	return nil
}

// cover puts what was written by now in the place of what the store has.
func (s *scan) cover(c *draftColl) {
	if c != nil {
		s.over, s.covered = c, len(c.all)
	}
}

// hides reports whether a document of the store is not to come.
func (s *scan) hides(id []byte) bool {
	if s.over == nil {
		return false
	}
	x := s.over.docs[string(id)]
	return x != nil && x.place < s.covered
}

// walk is one run of a scan.
type walk struct {
	*scan
	r       *fsm.Reader
	stop    func() error
	fn      func(id []byte, doc bsoncore.Document, version uint64) verdict
	stopped bool
	err     error
}

// drafts goes through the documents that were written.
func (w *walk) drafts() {
	for w.looked < w.covered {
		x := w.over.all[w.looked]
		if w.docs++; w.docs%pulse == 0 && !w.wanted() {
			return
		}
		if x.doc != nil && (w.own == nil || w.own.Matches(x.doc)) {
			switch w.fn(x.key, x.doc, x.version) {
			case goOn:
			case enough:
				w.looked++
				w.stopped = true
				return
			case notYet:
				w.stopped = true
				return
			}
		}
		w.looked++
	}
}

// document takes a document in the order of the _ids. Like entry it returns whether to go on.
func (w *walk) document(id []byte, doc bsoncore.Document, version uint64) bool {
	if w.keys++; w.keys%pulse == 0 && !w.wanted() {
		return false
	}
	if w.hides(id) {
		return true
	}
	w.docs++
	if w.filter != nil && !w.filter.Matches(doc) {
		return true
	}
	v := w.fn(id, doc, version)
	if v == goOn {
		return true
	}
	w.halt(id, nil, v == enough)
	return false
}

// entry takes an entry of an index.
func (w *walk) entry(key, id []byte) bool {
	if w.keys++; w.keys%pulse == 0 && !w.wanted() {
		return false
	}
	if w.hides(id) {
		return true
	}
	if w.plan.Dedupe {
		if _, again := w.seen[string(id)]; again {
			return true
		}
	}
	w.id = append(w.id[:0], id...) // the store may use its memory for the document
	doc, version, err := w.r.Get(w.id, w.buf)
	if err != nil {
		w.err = err
		return false
	}
	if cap(doc) > cap(w.buf) && len(doc) < keepBuffer {
		w.buf = make([]byte, 0, len(doc)+len(doc)/2)
	}
	if doc == nil {
		return true
	}
	w.docs++
	if w.filter != nil && !w.filter.Matches(doc) {
		return !w.plan.Dedupe || w.note()
	}
	v := w.fn(w.id, doc, version)
	if v != notYet && w.plan.Dedupe && !w.note() {
		return false
	}
	if v == goOn {
		return true
	}
	if w.plan.Index.Unique() {
		id = nil
	} else {
		id = w.id
	}
	w.halt(key, id, v == enough)
	return false
}

// halt stops the scan at the key that consists of two parts: behind it, or before it.
func (w *walk) halt(key, more []byte, behind bool) {
	w.stopped = true
	rest := append(append(make([]byte, 0, len(key)+len(more)+1), key...), more...)
	if behind != w.plan.Reverse {
		rest = append(rest, 0) // the first key behind it
	}
	w.rest = rest
}

// note remembers that the document w.id has come. It returns whether to go on.
func (w *walk) note() bool {
	if w.seen == nil {
		w.seen = map[string]struct{}{}
	}
	w.seen[string(w.id)] = struct{}{}
	if w.used += len(w.id) + sizeOfSeen; w.used > w.memory {
		w.err = errMemory("remembering the documents that come by several keys of index "+w.plan.Name(), w.memory)
	}
	return w.err == nil
}

// wanted reports whether to go on.
func (w *walk) wanted() bool {
	if w.stop != nil {
		w.err = w.stop()
	}
	return w.err == nil
}

// resume fits the scan to a collection as it is now. What the plan was made for may be gone.
func (s *scan) resume(r *fsm.Reader, cid uint64) error {
	if r == nil || r.ID != cid {
		return killed("its collection was dropped")
	}
	if s.plan.Index == nil {
		return nil
	}
	for _, ix := range r.Indexes {
		if ix.ID != s.plan.Index.ID {
			continue
		}
		if ix.Multikey && !s.plan.Index.Multikey {
			p := *s.plan
			p.Dedupe = true
			s.plan, s.filter = &p, s.own
		}
		return nil
	}
	return killed("its index was dropped")
}

// MongoDB's codes of what can happen to a cursor.
const (
	codeKilled = 175 // QueryPlanKilled
	codeInUse  = 12051
)

func killed(why string) error {
	err := wire.Errorf(wire.Conflict, "the cursor cannot go on: %s", why)
	err.Sub = codeKilled
	return err
}

// errMemory says that a request would hold too much.
func errMemory(what string, limit int) error {
	return value.Errorf(value.MemoryLimit, "Exceeded memory limit for %s: it would hold over %d bytes; make an index that serves, or ask for less", what, limit)
}
