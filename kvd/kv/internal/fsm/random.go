package fsm

import (
	"bytes"
	"math/bits"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Of a database with more keys than smallDB a random key is found by jumping to a place between the first and the last and
// going on by a few keys; a smaller one is looked at whole, and every key has the same chance.
const (
	smallDB   = 1000
	jumpKeys  = 64
	jumpTries = 16
)

// random serves OpKVRandom.
func random(q *Query, body []byte, ans *wire.Response) error {
	var m wire.KVDB
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB >= wire.KVDatabases {
		return errDB
	}
	var first, pick []byte
	var letters [256]bool
	seen := uint64(0)
	whole, err := q.walk(m.DB, nil, smallDB, func(key []byte, _ header) bool {
		if seen++; seen == 1 {
			first = append(first, key...)
		}
		for _, c := range key[min(len(key), common(first, key)):] {
			letters[c] = true
		}
		if q.below(seen) == 0 {
			pick = append(pick[:0], key...)
		}
		return true
	})
	if err != nil {
		return err
	}
	if !whole {
		if pick, err = q.jump(m.DB, first, pick, &letters); err != nil {
			return err
		}
		seen = max(seen, uint64(len(pick)))
	}
	if seen == 0 {
		return &wire.Error{Code: wire.Empty, Msg: "the database is empty"}
	}
	ans.Body = pick
	return nil
}

// jump picks a key of a large database. pick is what it falls back to.
func (q *Query) jump(db byte, first, pick []byte, letters *[256]bool) ([]byte, error) {
	base := q.ks.prefixes[db]
	end := keys.After(base)
	var last []byte
	err := q.view.Iterate(base, end, store.IterOptions{Reverse: true, HeadsOnly: true}, func(full []byte, _ store.Value) bool {
		last = append(last, full[len(base):]...)
		return false
	})
	if err != nil {
		return nil, err
	}
	from := append(bytes.Clone(base), q.between(first, last, letters)...)
	steps := q.below(jumpKeys)
	n := uint64(0)
	var fail error
	err = q.view.Iterate(from, end, store.IterOptions{HeadsOnly: true}, func(full []byte, v store.Value) bool {
		_, ok, err := q.there(v.Head)
		if err != nil {
			fail = err
			return false
		}
		if ok {
			pick = append(pick[:0], full[len(base):]...)
		}
		n++
		return n <= steps || !ok && n < smallDB
	})
	if err == nil {
		err = fail
	}
	return pick, err
}

// between makes up a key between two others, out of the letters that keys are made of: those of the first keys behind
// what they have in common, and those of the last key.
func (q *Query) between(lo, hi []byte, letters *[256]bool) []byte {
	n := common(lo, hi)
	for _, p := range [...][]byte{lo, hi} {
		for _, c := range p[n:] {
			letters[c] = true
		}
	}
	var set []byte
	for c := range letters {
		if letters[c] {
			set = append(set, byte(c))
		}
	}
	if len(set) == 0 {
		return lo
	}
	key := append(bytes.Clone(lo[:n]), make([]byte, 8)...)
	for range jumpTries {
		for i := n; i < len(key); i++ {
			key[i] = set[q.below(uint64(len(set)))]
		}
		if bytes.Compare(lo, key) <= 0 && bytes.Compare(key, hi) <= 0 {
			return key
		}
	}
	return lo
}

// common returns how many bytes two keys begin with alike.
func common(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// next is the query's next random number (splitmix64).
func (q *Query) next() uint64 {
	q.seed += 0x9E3779B97F4A7C15
	z := q.seed
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// below returns a random number under n.
func (q *Query) below(n uint64) uint64 {
	hi, _ := bits.Mul64(q.next(), n)
	return hi
}
