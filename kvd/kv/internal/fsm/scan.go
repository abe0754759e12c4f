package fsm

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Bounds of one page, whatever it asks for.
const (
	defaultPage = 1000
	pageBytes   = 1 << 20 // of entries; one entry is always sent
	pageExamine = 100_000 // keys
	stopEvery   = 256     // keys between two looks at whether anybody still waits
)

// page serves OpKVScan.
func page(q *Query, body []byte, ans *wire.Response) error {
	var m wire.KVScan
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB >= wire.KVDatabases {
		return errDB
	}
	if m.Flags&^(wire.ScanKeysOnly|wire.ScanReverse|wire.ScanAfter) != 0 {
		return errSyntax
	}
	p := pager{q: q, m: &m, limit: m.Limit, examine: min(m.Examine, pageExamine), base: q.ks.prefixes[m.DB]}
	if p.limit == 0 {
		p.limit = defaultPage
	}
	p.limit = min(p.limit, wire.MaxBatch)
	if p.examine == 0 {
		p.examine = pageExamine
	}
	if err := p.run(); err != nil {
		return err
	}
	if p.more {
		ans.Num = 1
		ans.Body = wire.AppendBytes(nil, p.last)
	} else {
		ans.Body = wire.AppendBytes(nil, nil)
	}
	ans.Body = append(ans.Body, p.out...)
	ans.Rev = q.view.Position().Revision
	return nil
}

// pager collects one page.
type pager struct {
	q              *Query
	m              *wire.KVScan
	base           []byte // what all keys of the database begin with
	limit, examine uint64

	out      []byte
	last     []byte // the last key that was looked at
	sent     uint64
	examined uint64
	more     bool
	fail     error
}

func (p *pager) run() error {
	from, to := p.bounds()
	if to != nil && bytes.Compare(from, to) >= 0 {
		return nil
	}
	// With a pattern most values are not wanted, so they are read one by one.
	o := store.IterOptions{
		Reverse:   p.m.Flags&wire.ScanReverse != 0,
		HeadsOnly: p.m.Flags&wire.ScanKeysOnly != 0 || len(p.m.Match) > 0,
	}
	err := p.q.view.Iterate(from, to, o, p.key)
	if err == nil {
		err = p.fail
	}
	return err
}

// bounds are the keys in the store between which the page lies.
func (p *pager) bounds() (from, to []byte) {
	full := func(key []byte) []byte { return append(bytes.Clone(p.base), key...) }
	from, to = full(p.m.Prefix), keys.After(full(p.m.Prefix))
	if start := full(p.m.Start); bytes.Compare(start, from) > 0 {
		from = start
	}
	if len(p.m.End) > 0 {
		if end := full(p.m.End); to == nil || bytes.Compare(end, to) < 0 {
			to = end
		}
	}
	if p.m.Flags&wire.ScanAfter == 0 {
		return from, to
	}
	after := full(p.m.After)
	if p.m.Flags&wire.ScanReverse != 0 {
		if to == nil || bytes.Compare(after, to) < 0 {
			to = after
		}
	} else if after = append(after, 0); bytes.Compare(after, from) > 0 {
		from = after
	}
	return from, to
}

// key looks at one key; false ends the page.
func (p *pager) key(full []byte, v store.Value) bool {
	if p.sent >= p.limit || p.examined >= p.examine || len(p.out) >= pageBytes {
		p.more = true
		return false
	}
	if p.examined%stopEvery == stopEvery-1 {
		if p.fail = p.q.stop(); p.fail != nil {
			return false
		}
	}
	p.examined++
	key := full[len(p.base):]
	p.last = append(p.last[:0], key...)
	h, there, err := p.q.there(v.Head)
	if err != nil || !there {
		p.fail = err
		return err == nil
	}
	if len(p.m.Match) > 0 && !globMatch(p.m.Match, key) {
		return true
	}
	e := wire.KVEntry{Version: h.version, Expires: h.expires, Key: key}
	if p.m.Flags&wire.ScanKeysOnly == 0 {
		if len(p.m.Match) > 0 {
			if v, _, p.fail = p.q.view.Get(full, nil); p.fail != nil {
				return false
			}
		}
		e.Value = v.Body
	}
	p.out = wire.AppendKVEntry(p.out, &e)
	p.sent++
	return true
}
