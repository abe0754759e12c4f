package doc

import (
	"bytes"
	"container/heap"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/project"
)

// sorter brings documents into an order in memory. Of a number of the first it holds no more than these.
type sorter struct {
	by    *project.Sort
	most  int64 // how many of the first are wanted; 0 if all
	limit int   // bytes that it may hold

	all  rows
	used int
	seq  int
	key  []byte
}

// row is a document in a sorter.
type row struct {
	key  []byte // what follows lies behind it in the same memory
	id   []byte // the key of its _id
	doc  []byte // what is to be handed out of it
	seq  int    // documents with equal keys stay in the order in which they came
	size int    // of the document as it is stored
}

// sizeOfRow is what a row costs beside its bytes.
const sizeOfRow = 112

func (r *row) compare(o *row) int {
	if c := bytes.Compare(r.key, o.key); c != 0 {
		return c
	}
	return r.seq - o.seq
}

// rows is a heap with the last row at its top, which goes when a better one comes.
type rows []row

func (l rows) Len() int           { return len(l) }
func (l rows) Less(i, j int) bool { return l[i].compare(&l[j]) > 0 }
func (l rows) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *rows) Push(x any) { *l = append(*l, x.(row)) }

// Pop implements heap.Interface.
func (l *rows) Pop() any {
	last := len(*l) - 1
	x := (*l)[last]
	(*l)[last] = row{}
	*l = (*l)[:last]
	return x
}

// add takes a document. apply appends what is to be kept of it.
func (s *sorter) add(id []byte, doc bsoncore.Document, apply func(dst []byte, doc bsoncore.Document) []byte) error {
	s.key = s.by.AppendKey(s.key[:0], doc)
	full := s.most > 0 && int64(len(s.all)) == s.most
	if full && bytes.Compare(s.key, s.all[0].key) >= 0 {
		return nil // it came later, so equal is not better
	}
	room := append(append(make([]byte, 0, len(s.key)+len(id)+len(doc)), s.key...), id...)
	if apply != nil {
		room = apply(room, doc)
	}
	k, n := len(s.key), len(s.key)+len(id)
	x := row{key: room[:k:k], id: room[k:n:n], doc: room[n:], seq: s.seq, size: len(doc)}
	s.seq++
	if full {
		gone := heap.Pop(&s.all).(row)
		s.used -= gone.bytes()
	}
	if s.used += x.bytes(); s.used > s.limit {
		return errMemory("a sort without an index", s.limit)
	}
	if s.most > 0 {
		heap.Push(&s.all, x)
	} else {
		s.all = append(s.all, x)
	}
	return nil
}

func (r *row) bytes() int { return cap(r.key) + len(r.id) + len(r.doc) + sizeOfRow }

// finish returns the documents in their order.
func (s *sorter) finish() []row {
	slices.SortFunc(s.all, func(x, y row) int { return x.compare(&y) })
	return s.all
}
