package fsm

import (
	"math"
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// incr serves OpKVIncr.
func incr(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVIncr
	if err := m.Decode(body); err != nil {
		return err
	}
	return tx.add(m.DB, m.Key, m.By, ans)
}

// decr serves OpKVDecr.
func decr(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVIncr
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.By == math.MinInt64 {
		return errDecrOverflow
	}
	return tx.add(m.DB, m.Key, -m.By, ans)
}

// add adds to a counter. The key's expiry stays.
func (tx *Tx) add(db byte, key []byte, by int64, ans *wire.Response) error {
	p, err := tx.at(0, db, key)
	if err != nil {
		return err
	}
	h, val, ok, err := tx.load(0, p)
	if err != nil {
		return err
	}
	var n int64
	if ok {
		if n, ok = parseInt(val); !ok {
			return errNotInteger
		}
	}
	if by < 0 && n < math.MinInt64-by || by > 0 && n > math.MaxInt64-by {
		return errIncrOverflow
	}
	n += by
	var digits [20]byte
	ans.Num, ans.Rev = n, tx.rev
	return tx.put(p, wire.TypeString, h.expires, h.expires, tx.keep(strconv.AppendInt(digits[:0], n, 10)))
}

// parseInt reads an integer as Redis's string2ll does: no sign but a minus, no leading zero, nothing around it.
func parseInt(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > 20 {
		return 0, false
	}
	if len(p) == 1 && p[0] == '0' {
		return 0, true
	}
	neg := p[0] == '-'
	if neg {
		p = p[1:]
	}
	if len(p) == 0 || p[0] < '1' || p[0] > '9' {
		return 0, false
	}
	var n uint64
	for _, c := range p {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := uint64(c - '0')
		if n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	switch {
	case neg && n <= 1<<63:
		return -int64(n), true
	case !neg && n <= math.MaxInt64:
		return int64(n), true
	}
	return 0, false
}
