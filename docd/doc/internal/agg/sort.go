package agg

import (
	"bytes"
	"container/heap"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/expr"
	"github.com/skshohagmiah/flin/docd/doc/internal/project"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeSortObject  = 15973
	codeByCountPath = 40148
	codeByCountForm = 40149
)

// sorter is $sort. Documents with equal keys stay in the order in which they came.
type sorter struct {
	by    *project.Sort
	limit int64 // how many of the first are wanted; 0 if all
}

func compileSort(_ string, v bsoncore.Value) ([]stage, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeSortObject, "the $sort key specification must be an object")
	}
	by, err := project.CompileSort(v.Data)
	if err == nil && len(by.Fields()) == 0 {
		return nil, value.Errorf(value.EmptySort, "$sort stage must have at least one sort key")
	}
	return []stage{&sorter{by: by}}, err
}

// sorted is a document with its key.
type sorted struct {
	key []byte // the document follows it in the same memory
	doc bsoncore.Document
	seq int
}

const sizeOfSorted = 80

func (s *sorted) compare(o *sorted) int {
	if c := bytes.Compare(s.key, o.key); c != 0 {
		return c
	}
	return s.seq - o.seq
}

// last is a heap with the last document at its top, which goes when a better one comes.
type last []sorted

func (l last) Len() int           { return len(l) }
func (l last) Less(i, j int) bool { return l[i].compare(&l[j]) > 0 }
func (l last) Swap(i, j int)      { l[i], l[j] = l[j], l[i] }

// Push implements heap.Interface.
func (l *last) Push(x any) { *l = append(*l, x.(sorted)) }

// Pop implements heap.Interface.
func (l *last) Pop() any {
	x := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return x
}

func (s *sorter) run(env *Env, src Docs) Docs {
	return func(yield func(bsoncore.Document, error) bool) {
		b := env.budget("$sort")
		defer b.end()
		var all last
		var key []byte
		seq := 0
		for doc, err := range src {
			if err == nil {
				key = s.by.AppendKey(key[:0], doc)
				err = s.add(&all, &b, key, doc, seq)
				seq++
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
		slices.SortFunc(all, func(x, y sorted) int { return x.compare(&y) })
		for i := range all {
			if !yield(all[i].doc, nil) {
				return
			}
			// What has been handed out may be held behind it, so it is not held here as well.
			b.give(len(all[i].key) + len(all[i].doc))
			all[i] = sorted{}
		}
	}
}

func (s *sorter) add(all *last, b *budget, key []byte, doc bsoncore.Document, seq int) error {
	full := s.limit > 0 && int64(len(*all)) == s.limit
	if full && bytes.Compare(key, (*all)[0].key) >= 0 {
		return nil // it came later, so equal is not better
	}
	if full {
		gone := heap.Pop(all).(sorted)
		b.give(len(gone.key) + len(gone.doc) + sizeOfSorted)
	}
	if err := b.take(len(key) + len(doc) + sizeOfSorted); err != nil {
		return err
	}
	room := make([]byte, len(key)+len(doc))
	copy(room[copy(room, key):], doc)
	item := sorted{room[:len(key):len(key)], room[len(key):], seq}
	if s.limit > 0 {
		heap.Push(all, item)
	} else {
		*all = append(*all, item)
	}
	return nil
}

// compileSortByCount compiles $sortByCount, which groups, counts and sorts the most frequent to the front.
func compileSortByCount(_ string, v bsoncore.Value) ([]stage, error) {
	switch v.Type {
	case value.String:
		if s := value.Str(v); len(s) == 0 || s[0] != '$' {
			return nil, value.Errorf(codeByCountPath, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
		}
	case value.Document:
		if r := value.Read(v.Data); !r.Next() || len(r.Name) == 0 || r.Name[0] != '$' {
			return nil, value.Errorf(codeByCountPath, "the sortByCount field must be defined as a $-prefixed path or an expression inside an object")
		}
	default:
		return nil, value.Errorf(codeByCountForm, "the sortByCount field must be specified as a string or as an object")
	}
	id, err := expr.Compile(v)
	if err != nil {
		return nil, err
	}
	one, err := expr.Compile(value.OfInt32(1))
	if err != nil {
		return nil, err
	}
	at, order := value.Begin(nil)
	by, err := project.CompileSort(value.End(value.AppendElement(order, "count", value.OfInt32(-1)), at))
	return []stage{&group{id: id, fields: []groupField{{"count", accumulators["$sum"], one}}}, &sorter{by: by}}, err
}
