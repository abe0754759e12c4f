package fsm

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// expire serves OpKVExpire. A time that has passed removes the key, and counts. A changed expiry is a new version.
func expire(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVExpire
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	const both = wire.ExpireIfGreater | wire.ExpireIfLess
	switch {
	case m.Cond&^(wire.ExpireIfNone|wire.ExpireIfAny|both) != 0:
		return errSyntax
	case m.Cond&wire.ExpireIfNone != 0 && m.Cond != wire.ExpireIfNone:
		return errExpireNX
	case m.Cond&both == both:
		return errExpireGTLT
	}
	at, err := tx.expiryAt(m.Expiry)
	if err != nil {
		return err
	}
	h, _, ok, err := tx.stat(p)
	if err != nil || !ok {
		return err
	}
	switch {
	case m.Cond&wire.ExpireIfNone != 0 && h.expires != 0,
		m.Cond&wire.ExpireIfAny != 0 && h.expires == 0,
		m.Cond&wire.ExpireIfGreater != 0 && (h.expires == 0 || at <= h.expires),
		m.Cond&wire.ExpireIfLess != 0 && h.expires != 0 && at >= h.expires:
		return nil
	}
	ans.Num, ans.Rev = 1, tx.rev
	return tx.reset(p, at)
}

// expiryAt works out the time that an expire asks for. It may have passed.
func (tx *Tx) expiryAt(e wire.Expiry) (int64, error) {
	switch e.Kind {
	case wire.ExpiryAt:
		return max(e.Ms, 1), nil
	case wire.ExpiryIn:
		if e.Ms > math.MaxInt64-max(tx.now, 1<<42) {
			return 0, errExpiry
		}
		return max(tx.now+max(e.Ms, math.MinInt64/2), 1), nil
	case wire.ExpiryNone, wire.ExpiryKeep, wire.ExpiryPersist:
	}
	return 0, errSyntax
}

// reset gives a key that is there another expiry, or with a time that has passed removes it.
func (tx *Tx) reset(p place, at int64) error {
	if at != 0 && at <= tx.now {
		return tx.remove(p, wire.EventDelete)
	}
	h, val, ok, err := tx.own(p)
	if err != nil || !ok {
		return err
	}
	return tx.refresh(p, h, at, val)
}

// persist serves OpKVPersist. Num is 1 if an expiry was taken away.
func persist(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVKey
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	h, _, ok, err := tx.stat(p)
	if err != nil || !ok || h.expires == 0 {
		return err
	}
	ans.Num, ans.Rev = 1, tx.rev
	return tx.reset(p, 0)
}

// getEx serves OpKVGetEx: a get that changes the expiry. The answer's Num is the expiry that the key has then.
func getEx(tx *Tx, body []byte, ans *wire.Response) error {
	var m wire.KVExpire
	if err := m.Decode(body); err != nil {
		return err
	}
	p, err := tx.at(0, m.DB, m.Key)
	if err != nil {
		return err
	}
	at, err := tx.newExpiry(m.Expiry, errGetExExpiry)
	if err != nil {
		return err
	}
	keeps := m.Expiry.Kind == wire.ExpiryNone || m.Expiry.Kind == wire.ExpiryKeep
	buf := &tx.val[0]
	if !keeps {
		buf = nil // the value is written again
	}
	h, val, ok, err := tx.get(p, buf)
	if err != nil {
		return err
	}
	if !ok {
		*ans = missing
		return nil
	}
	ans.Rev, ans.Num, ans.Body = h.version, h.expires, val
	if keeps || at == h.expires {
		return nil
	}
	ans.Rev, ans.Num = tx.rev, at
	return tx.refresh(p, h, at, val)
}

// pureGetEx reports that a getex leaves the expiry alone.
func pureGetEx(_ *Table, body []byte) bool {
	var m wire.KVExpire
	return m.Decode(body) == nil && (m.Expiry.Kind == wire.ExpiryNone || m.Expiry.Kind == wire.ExpiryKeep)
}
