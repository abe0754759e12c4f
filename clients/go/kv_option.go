package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// SetOption is a wish or condition of Set, Put and a transaction's Set.
type SetOption interface{ set(m *wire.KVSet) }

// DeleteOption is a condition of Delete.
type DeleteOption interface{ delete(m *wire.KVDel) }

type setFlag wire.SetFlags

func (f setFlag) set(m *wire.KVSet) { m.Flags |= wire.SetFlags(f) }

type setExpiry wire.Expiry

func (e setExpiry) set(m *wire.KVSet) { m.Expiry = wire.Expiry(e) }

// IfAbsent writes only if the key is not there; else ErrExists.
func IfAbsent() SetOption { return setFlag(wire.SetIfAbsent) }

// IfPresent writes only if the key is there; else ErrNotFound.
func IfPresent() SetOption { return setFlag(wire.SetIfPresent) }

// TTLOption is what TTL returns: an option of Set and Put, and of CreateIndex.
type TTLOption struct{ d time.Duration }

func (t TTLOption) set(m *wire.KVSet) {
	m.Expiry = wire.Expiry{Kind: wire.ExpiryIn, Ms: max(t.d.Milliseconds(), 1)}
}

// TTL makes a key go after d, counted by the server, in milliseconds; less than one is one. As a property of an index it makes
// documents go d after the date in the index's only field, in seconds.
func TTL(d time.Duration) TTLOption { return TTLOption{d} }

// ExpireAt makes the key go at t, to the millisecond.
func ExpireAt(t time.Time) SetOption { return setExpiry{Kind: wire.ExpiryAt, Ms: t.UnixMilli()} }

// KeepTTL leaves the expiry that the key has.
func KeepTTL() SetOption { return setExpiry{Kind: wire.ExpiryKeep} }

// VersionOption is what IfVersion returns: an option of Set, Put and Delete.
type VersionOption struct{ version uint64 }

func (v VersionOption) set(m *wire.KVSet) {
	m.Flags |= wire.SetIfVersion
	m.Version = v.version
}

func (v VersionOption) delete(m *wire.KVDel) { m.IfVersion, m.Version = true, v.version }

// IfVersion takes effect only if the key has this version, which Entry and Put return; else ErrConflict. Version 0 means
// that the key is not there.
func IfVersion(version uint64) VersionOption { return VersionOption{version} }
