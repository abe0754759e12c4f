package fsm

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// set serves OpKVSet. Without conditions it is blind: nothing is read.
func set(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVSet
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	if m.Flags&^(wire.SetIfAbsent|wire.SetIfPresent|wire.SetIfVersion|wire.SetReturnOld) != 0 ||
		m.Flags&wire.SetIfAbsent != 0 && m.Flags&wire.SetIfPresent != 0 {
		return errSyntax
	}
	expires, err := tx.newExpiry(m.Expiry, errSetExpiry)
	if err != nil {
		return err
	}
	if err := tx.m.checkValue(len(m.Value), tx.rehearsal); err != nil {
		return err
	}
	var was int64
	if m.Flags != 0 || m.Expiry.Kind == wire.ExpiryKeep {
		var h header
		var ok bool
		if m.Flags&wire.SetReturnOld != 0 {
			var old []byte
			if h, old, ok, err = tx.load(0, p); ok {
				ans.Num, ans.Body = 1, old
			}
		} else {
			h, _, ok, err = tx.stat(p)
		}
		if err != nil {
			return err
		}
		if err := setUnmet(&m, h, ok); err != nil {
			if m.Flags&wire.SetReturnOld != 0 {
				return nil
			}
			return err
		}
		if was = h.expires; m.Expiry.Kind == wire.ExpiryKeep {
			expires = h.expires
		}
	}
	ans.Rev = tx.rev
	return tx.put(p, wire.TypeString, expires, was, m.Value)
}

// setUnmet reports why a key as it is does not allow the set, nil if it does.
func setUnmet(m *wire.KVSet, h header, ok bool) error {
	switch {
	case m.Flags&wire.SetIfAbsent != 0 && ok:
		return errExists
	case m.Flags&wire.SetIfPresent != 0 && !ok:
		return errNoKey
	case m.Flags&wire.SetIfVersion != 0 && h.version != m.Version:
		return errVersion
	}
	return nil
}

// newExpiry works out when a key that is written now is to go. Redis refuses what is not positive, and so do we: bad is
// the error that says so.
func (tx *Tx) newExpiry(e wire.Expiry, bad error) (int64, error) {
	switch e.Kind {
	case wire.ExpiryAt:
		if e.Ms <= 0 {
			return 0, bad
		}
		return e.Ms, nil
	case wire.ExpiryIn:
		// A rehearsal has no time of its entry, and cannot be far from any that will come.
		if e.Ms <= 0 || e.Ms > math.MaxInt64-max(tx.now, 1<<42) {
			return 0, bad
		}
		return tx.now + e.Ms, nil
	case wire.ExpiryNone, wire.ExpiryKeep, wire.ExpiryPersist:
	}
	return 0, nil
}
