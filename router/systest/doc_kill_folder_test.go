package systest

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/clients/go"
)

// filing is one request to write documents: what it leaves of each, by its place, which is collection and _id. nil: there is none.
type filing struct {
	leaves map[string]flin.Document
	loose  bool // each document is written by itself: a crash may fall between two. Otherwise it is all or nothing
}

// place is where a document is.
func place(coll, id string) string { return coll + "/" + id }

// folder is what the only writer of some documents knows of them: what was acknowledged last, and the requests that were sent and not
// answered, oldest first. The server may have executed any number of those, in this order.
type folder struct {
	acked   map[string]flin.Document
	pending []filing
	next    int  // of pending: the oldest whose answer may still come
	holes   bool // each of pending writes one document that no other writes, and any of them may have been executed
	writes  int  // acknowledged
	unknown int  // were not answered
}

func newFolder() *folder { return &folder{acked: map[string]flin.Document{}} }

// sent notes a request that is about to leave.
func (f *folder) sent(d filing) { f.pending = append(f.pending, d) }

// answered notes that the oldest request in flight was acknowledged.
func (f *folder) answered() {
	f.apply(f.pending[f.next])
	f.refused()
	f.writes++
}

// refused notes that the oldest request in flight was surely not executed.
func (f *folder) refused() { f.pending = slices.Delete(f.pending, f.next, f.next+1) }

func (f *folder) apply(d filing) {
	for at, doc := range d.leaves {
		if doc == nil {
			delete(f.acked, at)
		} else {
			f.acked[at] = doc
		}
	}
}

// end notes what came of the oldest request in flight. Of an unknown fate it stays there until it is settled.
func (f *folder) end(o outcome) {
	switch o {
	case done:
		f.answered()
	case notDone:
		f.refused()
	case unknown:
	}
}

// settle compares the documents that are there with those that may be there, and learns which of the unanswered requests were
// executed.
func (f *folder) settle(found map[string]flin.Document) error {
	f.unknown += len(f.pending)
	f.next = 0
	if f.holes {
		f.fill(found)
	}
	var complaints []string
	for executed := 0; ; executed++ {
		var partly *filing
		if len(f.pending) > 0 && f.pending[0].loose {
			partly = &f.pending[0]
		}
		wrong := f.compare(found, partly)
		if len(wrong) == 0 {
			f.acked, f.pending = map[string]flin.Document{}, nil
			maps.Copy(f.acked, found)
			return nil
		}
		complaints = append(complaints, fmt.Sprintf("with %d of the unanswered requests: %s", executed, strings.Join(wrong[:min(len(wrong), 4)], "; ")))
		if len(f.pending) == 0 {
			break
		}
		f.apply(f.pending[0])
		f.pending = f.pending[1:]
	}
	if len(complaints) == 1 {
		return fmt.Errorf("%s", complaints[0])
	}
	return fmt.Errorf("no number of the %d unanswered requests explains what is there:\n  %s", len(complaints)-1, strings.Join(complaints, "\n  "))
}

// fill applies those of the unanswered requests whose document is as they leave it.
func (f *folder) fill(found map[string]flin.Document) {
	for _, d := range f.pending {
		for at, doc := range d.leaves {
			if differs(doc, found[at]) == "" {
				f.apply(d)
			}
		}
	}
	f.pending = nil
}

// compare says which documents are not as they were acknowledged. Those that partly writes, if it is there, may be as it leaves them.
func (f *folder) compare(found map[string]flin.Document, partly *filing) (wrong []string) {
	all := map[string]bool{}
	for at := range f.acked {
		all[at] = true
	}
	for at := range found {
		all[at] = true
	}
	for _, at := range slices.Sorted(maps.Keys(all)) {
		why := differs(f.acked[at], found[at])
		if why != "" && partly != nil {
			if later, written := partly.leaves[at]; written && differs(later, found[at]) == "" {
				why = ""
			}
		}
		if why != "" {
			wrong = append(wrong, at+": "+why)
		}
	}
	return wrong
}

// differs says how a document is not as it should be, or nothing.
func differs(want, got flin.Document) string {
	switch {
	case want == nil && got == nil:
		return ""
	case want == nil:
		return fmt.Sprintf("it is there (%s), and must not be", short(got))
	case got == nil:
		return fmt.Sprintf("it is not there, and must be (%s)", short(want))
	}
	var fields []string
	for name := range want {
		if !reflect.DeepEqual(want[name], got[name]) {
			fields = append(fields, fmt.Sprintf("%s is %s, not %s", name, short(got[name]), short(want[name])))
		}
	}
	for name := range got {
		if _, known := want[name]; !known {
			fields = append(fields, fmt.Sprintf("%s is %s, and must not be there", name, short(got[name])))
		}
	}
	slices.Sort(fields)
	return strings.Join(fields, ", ")
}

// short is the beginning of what a value is written as.
func short(v any) string {
	text := fmt.Sprintf("%T %v", v, v)
	return text[:min(len(text), 160)]
}
