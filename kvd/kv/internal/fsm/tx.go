package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Reader is what single-key reads need: a *store.Store or, inside a command, its *store.Batch.
type Reader interface {
	Get(key, buf []byte) (store.Value, bool, error)
	Head(key, buf []byte) (head []byte, size int, ok bool, err error)
}

// Writer is what a command writes to: a *store.Batch, or in a rehearsal nothing.
type Writer interface {
	Set(key, head, body []byte)
	Delete(key []byte)
}

// Bounds on what one command may do, whatever its payload says. They are judged the same on every replica; a command
// over one of them changes nothing and is answered TooLarge.
const (
	hardMaxValue = 16 << 20 // bytes of a value that a command makes out of others
	maxTouched   = 64 << 20 // bytes of values that a command reads and makes
	maxLCSCells  = 16 << 20 // cells of the tables of all its LCS operations
	entryCost    = 12       // what an entry takes in the LSM tree besides its key and value
	inlineBody   = 512      // a longer body goes to a blob file,
	pointerCost  = 32       // and leaves a pointer of at most this many bytes
)

// Tx is what an operation runs in: one command at apply, one read outside of it, or the rehearsal of a command before
// it is proposed. It belongs to one goroutine at a time and keeps its buffers from one use to the next, so that a read
// of a small value allocates nothing.
type Tx struct {
	m     *Machine
	r     Reader
	w     Writer       // nil: nothing may be written
	b     *store.Batch // at apply: w, for those who iterate
	ks    *keyspace
	newKS *keyspace    // what a flush or swap makes of ks
	clock func() int64 // of an inline read: the wall clock in ms; nil at apply
	now   int64        // the time of the entry; an inline read asks the Machine after it has looked
	rev   uint64

	rehearsal bool // count and read, write nothing, skip what is only work
	emit      bool // collect events
	reads     int  // how often the store was asked
	entries   int  // put into the LSM tree
	bytes     int
	touched   int
	cells     int
	over      *wire.Error // the bound that was broken: the whole command fails with it
	due       int64       // earliest expiry written, 0 is none
	exact     bool        // due is that of all keys
	events    []wire.KVEvent

	kbuf  [2][]byte // full keys
	hbuf  []byte    // a head, read
	wbuf  []byte    // a head, to write
	ibuf  []byte    // an index key
	val   [2][]byte // values, read
	out   []byte    // the body of an answer
	res   []byte    // the body of a transaction's answer
	arena []byte    // small values to write; the store keeps them

	keys  wire.KVKeys
	pairs wire.KVMSet
	bitop wire.KVBitOp
	field wire.KVBitField
	txn   wire.KVTxn
	full  [][]byte // full keys of an mget
	ans   wire.Response
	many  func(i int, v store.Value, ok bool) error // tx.entry, bound once
}

func newTx(m *Machine) *Tx {
	tx := &Tx{m: m, hbuf: make([]byte, 0, 512), wbuf: make([]byte, 0, 32)}
	tx.val[0] = make([]byte, 0, 4<<10)
	tx.many = tx.entry
	return tx
}

// begin makes tx ready for the next use.
func (tx *Tx) begin(r Reader, w Writer, ks *keyspace) {
	tx.r, tx.w, tx.ks, tx.newKS = r, w, ks, nil
	tx.clock, tx.now, tx.rev = nil, 0, 0
	tx.rehearsal, tx.emit = false, false
	tx.reads, tx.entries, tx.bytes, tx.touched, tx.cells = 0, 0, 0, 0, 0
	tx.over, tx.due, tx.exact, tx.events = nil, 0, false, tx.events[:0]
	tx.b = nil
	tx.ans = wire.Response{}
	tx.letGo()
	if cap(tx.out) > maxHeld {
		tx.out = nil
	}
	if cap(tx.res) > maxHeld {
		tx.res = nil
	}
}

// maxHeld is the largest answer, in bytes, whose memory is used again.
const maxHeld = 1 << 20

// letGo forgets the payload of the operation before: what has been decoded shares memory with it. Whoever decodes into a
// slice of tx clears it first, so that nothing is left behind its end.
func (tx *Tx) letGo() {
	clear(tx.keys.Keys)
	clear(tx.pairs.Pairs)
	clear(tx.bitop.Srcs)
	clear(tx.txn.Compares)
	clear(tx.txn.Ops)
	clear(tx.full)
}

// spaces is the keyspace as the command has made it so far.
func (tx *Tx) spaces() *keyspace {
	if tx.newKS != nil {
		return tx.newKS
	}
	return tx.ks
}

// place is a key of a database and where it is in the store.
type place struct {
	db   byte
	key  []byte
	full []byte
}

// at finds the place of a key. The slot, 0 or 1, says which buffer holds it: a second key in the same slot ends the
// first.
func (tx *Tx) at(slot int, db byte, key []byte) (place, error) {
	if db >= wire.KVDatabases {
		return place{}, errDB
	}
	if len(key) > wire.MaxKey {
		return place{}, keyTooLong(len(key))
	}
	b := append(append(tx.kbuf[slot][:0], tx.spaces().prefixes[db]...), key...)
	tx.kbuf[slot] = b
	return place{db: db, key: key, full: b}, nil
}

func keyTooLong(n int) error {
	return wire.Errorf(wire.TooLarge, "key of %d bytes is over the limit of %d", n, wire.MaxKey)
}

// checkKeys says whether every key may be one. A command over several keys asks before it writes the first.
func checkKeys(keys [][]byte) error {
	for _, k := range keys {
		if len(k) > wire.MaxKey {
			return keyTooLong(len(k))
		}
	}
	return nil
}

// gone reports whether a key with this expiry is not there any more.
func (tx *Tx) gone(expires int64) (bool, error) {
	if expires == 0 {
		return false, nil
	}
	if tx.clock == nil {
		return expires <= tx.now, nil
	}
	// The time of entries is read after the key: whoever was told by an entry that the key has expired must not see it
	// here again.
	if expires <= tx.m.now.Load() {
		return true, nil
	}
	if expires <= tx.clock() {
		return false, errLate
	}
	return false, nil
}

// stat reads what is known of a key without its value.
func (tx *Tx) stat(p place) (h header, size int, ok bool, err error) {
	tx.reads++
	head, size, ok, err := tx.r.Head(p.full, tx.hbuf)
	if err == nil && tx.rehearsal && size <= inlineBody {
		// Only whole values go to the cache, and so does the knowledge that there is none.
		_, _, err = tx.r.Get(p.full, tx.val[0])
	}
	if err != nil || !ok {
		return header{}, 0, false, err
	}
	if err := h.decode(head); err != nil {
		return header{}, 0, false, err
	}
	gone, err := tx.gone(h.expires)
	if gone || err != nil {
		return header{}, 0, false, err
	}
	return h, size, true, nil
}

// load reads a key. The body is valid until the slot is used again or the command ends; it must not be kept.
func (tx *Tx) load(slot int, p place) (h header, body []byte, ok bool, err error) {
	return tx.get(p, &tx.val[slot])
}

// own reads a key whose body may be written again: the memory is not used for anything else.
func (tx *Tx) own(p place) (h header, body []byte, ok bool, err error) {
	return tx.get(p, nil)
}

func (tx *Tx) get(p place, buf *[]byte) (h header, body []byte, ok bool, err error) {
	var scratch []byte
	if buf != nil {
		scratch = *buf
	}
	tx.reads++
	v, ok, err := tx.r.Get(p.full, scratch)
	if err != nil || !ok {
		return header{}, nil, false, err
	}
	if err := h.decode(v.Head); err != nil {
		return header{}, nil, false, err
	}
	gone, err := tx.gone(h.expires)
	if gone || err != nil {
		return header{}, nil, false, err
	}
	if n := len(p.full) + len(v.Head) + len(v.Body) + 16; buf != nil && n > cap(scratch) && n <= maxKept {
		// The next value is likely to be as long as this one. What came back is not ours to write to: it may be the
		// store's own.
		*buf = make([]byte, 0, n+n/4)
	}
	return h, v.Body, true, tx.touch(len(v.Body))
}

// touch counts bytes of values that the command reads or makes.
func (tx *Tx) touch(n int) error {
	tx.touched += n
	if tx.touched > maxTouched {
		return tx.exceed("the command reads and makes more than %d bytes of values: split it", maxTouched)
	}
	return nil
}

// exceed fails the whole command.
func (tx *Tx) exceed(format string, args ...any) error {
	if tx.over == nil {
		tx.over = wire.Errorf(wire.TooLarge, format, args...)
	}
	return tx.over
}

// room returns n bytes for a value that is going to be written. The store keeps them until it has flushed.
func (tx *Tx) room(n int) []byte {
	if n > inlineBody {
		return make([]byte, n)
	}
	if len(tx.arena) < n {
		tx.arena = make([]byte, 16<<10)
	}
	p := tx.arena[:n:n]
	tx.arena = tx.arena[n:]
	return p
}

// keep returns a copy of p for the store to keep.
func (tx *Tx) keep(p []byte) []byte {
	b := tx.room(len(p))
	copy(b, p)
	return b
}
