package fsm

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// script is one operation as test files write it: name, positional arguments, then options as name=value or a bare name.
// Arguments may be Go strings in quotes.
type script struct {
	t    testing.TB
	text string
	name string
	args []string
	opts map[string]string
}

// options are the names that are never positional.
var options = map[string]bool{
	"db": true, "dst": true, "px": true, "at": true, "keep": true, "persist": true, "nx": true, "xx": true, "ver": true,
	"get": true, "gt": true, "lt": true, "replace": true, "start": true, "end": true, "bits": true, "len": true,
	"idx": true, "min": true, "limit": true, "examine": true, "prefix": true, "from": true, "to": true, "after": true,
	"match": true, "keys": true, "reverse": true, "all": true, "wall": true, "read": true,
}

func parseScript(t testing.TB, line string) *script {
	t.Helper()
	s := &script{t: t, text: line, opts: map[string]string{}}
	for rest := strings.TrimSpace(line); rest != ""; rest = strings.TrimSpace(rest) {
		if rest[0] == '"' {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			word, _ := strconv.Unquote(q)
			s.args = append(s.args, word)
			rest = rest[len(q):]
			continue
		}
		word, after, _ := strings.Cut(rest, " ")
		rest = after
		name, value, has := strings.Cut(word, "=")
		switch {
		case s.name == "":
			s.name = word
		case options[name] && (has || len(s.args) > 0 || s.name == "scan"):
			s.opts[name] = value
		default:
			s.args = append(s.args, word)
		}
	}
	return s
}

func (s *script) arg(i int) []byte {
	s.t.Helper()
	if i >= len(s.args) {
		s.t.Fatalf("%s: argument %d is missing", s.text, i+1)
	}
	return []byte(s.args[i])
}

func (s *script) bytes(from int) (list [][]byte) {
	for _, a := range s.args[from:] {
		list = append(list, []byte(a))
	}
	return list
}

func (s *script) num(text string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatalf("%s: %v", s.text, err)
	}
	return n
}

func (s *script) has(name string) bool { _, ok := s.opts[name]; return ok }

func (s *script) opt(name string) int64 {
	if !s.has(name) {
		return 0
	}
	return s.num(s.opts[name])
}

func (s *script) db() byte {
	if s.opts["db"] == "all" {
		return wire.AllDatabases
	}
	return byte(s.opt("db"))
}

func (s *script) expiry() wire.Expiry {
	switch {
	case s.has("px"):
		return wire.Expiry{Kind: wire.ExpiryIn, Ms: s.opt("px")}
	case s.has("at"):
		return wire.Expiry{Kind: wire.ExpiryAt, Ms: s.opt("at")}
	case s.has("keep"):
		return wire.Expiry{Kind: wire.ExpiryKeep}
	case s.has("persist"):
		return wire.Expiry{Kind: wire.ExpiryPersist}
	}
	return wire.Expiry{}
}

// build makes the request that the line stands for.
func (s *script) build() (op wire.Op, body []byte) {
	type payload interface{ Append([]byte) []byte }
	var m payload
	key := wire.KVKey{DB: s.db()}
	switch s.name {
	case "get", "getdel", "persist", "stat":
		key.Key = s.arg(0)
		op = map[string]wire.Op{"get": wire.OpKVGet, "getdel": wire.OpKVGetDel, "persist": wire.OpKVPersist, "stat": wire.OpKVStat}[s.name]
		m = &key
	case "set":
		m = &wire.KVSet{
			DB: s.db(), Key: s.arg(0), Value: s.arg(1), Expiry: s.expiry(), Version: uint64(s.opt("ver")),
			Flags: s.setFlags(),
		}
		op = wire.OpKVSet
	case "del":
		op, m = wire.OpKVDel, &wire.KVDel{DB: s.db(), Key: s.arg(0), IfVersion: s.has("ver"), Version: uint64(s.opt("ver"))}
	case "exists", "mget", "mdel":
		op = map[string]wire.Op{"exists": wire.OpKVExists, "mget": wire.OpKVMGet, "mdel": wire.OpKVMDel}[s.name]
		m = &wire.KVKeys{DB: s.db(), Keys: s.bytes(0)}
	case "incr", "decr":
		op = map[string]wire.Op{"incr": wire.OpKVIncr, "decr": wire.OpKVDecr}[s.name]
		m = &wire.KVIncr{DB: s.db(), Key: s.arg(0), By: s.num(string(s.arg(1)))}
	case "incrfloat", "append":
		op = map[string]wire.Op{"incrfloat": wire.OpKVIncrFloat, "append": wire.OpKVAppend}[s.name]
		m = &wire.KVPair{DB: s.db(), Key: s.arg(0), Value: s.arg(1)}
	case "getrange":
		op, m = wire.OpKVGetRange, &wire.KVRange{DB: s.db(), Key: s.arg(0), Start: s.num(s.args[1]), End: s.num(s.args[2])}
	case "setrange":
		op, m = wire.OpKVSetRange, &wire.KVRange{DB: s.db(), Key: s.arg(0), Start: s.num(s.args[1]), Value: s.arg(2)}
	case "expire", "getex":
		op = map[string]wire.Op{"expire": wire.OpKVExpire, "getex": wire.OpKVGetEx}[s.name]
		m = &wire.KVExpire{DB: s.db(), Key: s.arg(0), Expiry: s.expiry(), Cond: s.conditions()}
	case "mset":
		set := &wire.KVMSet{DB: s.db(), IfAbsent: s.has("nx")}
		for i := 0; i+1 < len(s.args); i += 2 {
			set.Pairs = append(set.Pairs, wire.KVPair{Key: s.arg(i), Value: s.arg(i + 1)})
		}
		op, m = wire.OpKVMSet, set
	case "rename", "copy", "move":
		op = map[string]wire.Op{"rename": wire.OpKVRename, "copy": wire.OpKVCopy, "move": wire.OpKVMove}[s.name]
		m = &wire.KVCopy{DB: s.db(), DstDB: byte(s.opt("dst")), Replace: s.has("replace"), Src: s.arg(0), Dst: s.arg(1)}
	case "flush", "count", "random":
		op = map[string]wire.Op{"flush": wire.OpKVFlush, "count": wire.OpKVCount, "random": wire.OpKVRandom}[s.name]
		m = &wire.KVDB{DB: s.db(), Prefix: []byte(s.opts["prefix"])}
	case "swap":
		op, m = wire.OpKVSwap, &wire.KVDB{DB: byte(s.num(s.args[0])), Other: byte(s.num(s.args[1]))}
	case "sweep", "collect":
		op = map[string]wire.Op{"sweep": wire.OpKVSweep, "collect": wire.OpKVCollect}[s.name]
		return op, wire.AppendLimit(nil, int(s.opt("limit")))
	default:
		return s.buildMore()
	}
	return op, m.Append(nil)
}

func (s *script) setFlags() (f wire.SetFlags) {
	for name, flag := range map[string]wire.SetFlags{"nx": wire.SetIfAbsent, "xx": wire.SetIfPresent, "ver": wire.SetIfVersion, "get": wire.SetReturnOld} {
		if s.has(name) {
			f |= flag
		}
	}
	return f
}

func (s *script) conditions() (c wire.ExpireCond) {
	for name, cond := range map[string]wire.ExpireCond{"nx": wire.ExpireIfNone, "xx": wire.ExpireIfAny, "gt": wire.ExpireIfGreater, "lt": wire.ExpireIfLess} {
		if s.has(name) {
			c |= cond
		}
	}
	return c
}

// buildMore makes the operations on bits, scans, and those that do not exist.
func (s *script) buildMore() (op wire.Op, body []byte) {
	switch s.name {
	case "setbit":
		return wire.OpKVSetBit, (&wire.KVBit{DB: s.db(), Key: s.arg(0), Offset: uint64(s.num(s.args[1])), Bit: byte(s.num(s.args[2]))}).Append(nil)
	case "getbit":
		return wire.OpKVGetBit, (&wire.KVBit{DB: s.db(), Key: s.arg(0), Offset: uint64(s.num(s.args[1]))}).Append(nil)
	case "bitcount", "bitpos":
		m := &wire.KVBitScan{DB: s.db(), Key: s.arg(0), Start: s.opt("start"), End: s.opt("end")}
		op = wire.OpKVBitCount
		if s.name == "bitpos" {
			op, m.Bit = wire.OpKVBitPos, byte(s.num(s.args[1]))
		}
		for name, r := range map[string]wire.BitRange{"start": wire.BitRangeStart, "end": wire.BitRangeEnd, "bits": wire.BitRangeBits} {
			if s.has(name) {
				m.Range |= r
			}
		}
		return op, m.Append(nil)
	case "bitop":
		kind := map[string]wire.BitOpKind{"and": wire.BitAnd, "or": wire.BitOr, "xor": wire.BitXor, "not": wire.BitNot}[s.args[0]]
		return wire.OpKVBitOp, (&wire.KVBitOp{DB: s.db(), Kind: kind, Dst: s.arg(1), Srcs: s.bytes(2)}).Append(nil)
	case "bitfield":
		return wire.OpKVBitField, s.fields().Append(nil)
	case "lcs":
		m := &wire.KVLCS{DB: s.db(), A: s.arg(0), B: s.arg(1), MinLen: uint64(s.opt("min"))}
		if s.has("len") {
			m.Flags |= wire.LCSLen
		}
		if s.has("idx") {
			m.Flags |= wire.LCSIdx
		}
		return wire.OpKVLCS, m.Append(nil)
	case "scan":
		m := &wire.KVScan{
			DB: s.db(), Limit: uint64(s.opt("limit")), Examine: uint64(s.opt("examine")), Prefix: []byte(s.opts["prefix"]),
			Start: []byte(s.opts["from"]), End: []byte(s.opts["to"]), After: []byte(s.opts["after"]), Match: []byte(s.opts["match"]),
		}
		for name, f := range map[string]wire.ScanFlags{"keys": wire.ScanKeysOnly, "reverse": wire.ScanReverse, "after": wire.ScanAfter} {
			if s.has(name) {
				m.Flags |= f
			}
		}
		return wire.OpKVScan, m.Append(nil)
	case "raw":
		return wire.Op(s.num(s.args[0])), s.arg(1)
	}
	s.t.Fatalf("%s: there is no such operation", s.text)
	return 0, nil
}

// fields reads the operations of a bitfield: get:u8:0 set:i5:100:-3 incr:u2:102:1:sat.
func (s *script) fields() *wire.KVBitField {
	m := &wire.KVBitField{DB: s.db(), Key: s.arg(0)}
	for _, a := range s.args[1:] {
		p := strings.Split(a, ":")
		o := wire.BitFieldOp{
			Kind:   map[string]wire.BitFieldKind{"get": wire.BitFieldGet, "set": wire.BitFieldSet, "incr": wire.BitFieldIncr}[p[0]],
			Signed: p[1][0] == 'i', Bits: uint8(s.num(p[1][1:])), Offset: uint64(s.num(p[2])),
		}
		if len(p) > 3 {
			o.Value = s.num(p[3])
		}
		if len(p) > 4 {
			o.Overflow = map[string]wire.Overflow{"wrap": wire.OverflowWrap, "sat": wire.OverflowSat, "fail": wire.OverflowFail}[p[4]]
		}
		m.Ops = append(m.Ops, o)
	}
	return m
}

// show writes an answer as test files have it.
func show(op wire.Op, body []byte, ans *wire.Response) string {
	var b strings.Builder
	if ans.Code != wire.OK {
		fmt.Fprintf(&b, "%v: %s", ans.Code, ans.Body)
		if ans.Num != 0 {
			fmt.Fprintf(&b, " num=%d", ans.Num)
		}
		return b.String()
	}
	b.WriteString("ok")
	if ans.Rev != 0 {
		fmt.Fprintf(&b, " rev=%d", ans.Rev)
	}
	if ans.Num != 0 {
		fmt.Fprintf(&b, " num=%d", ans.Num)
	}
	r := wire.NewReader(ans.Body)
	switch op {
	case wire.OpKVMGet:
		for r.Len() > 0 {
			showEntry(&b, &r)
		}
	case wire.OpKVScan:
		if last := r.Bytes(); len(last) > 0 {
			fmt.Fprintf(&b, " last=%q", last)
		}
		for r.Len() > 0 {
			showEntry(&b, &r)
		}
	case wire.OpKVStat:
		fmt.Fprintf(&b, " type=%d size=%d", r.Byte(), r.Uvarint())
	case wire.OpKVBitField:
		for r.Len() > 0 {
			if r.Byte() == 0 {
				b.WriteString(" nil")
			} else {
				fmt.Fprintf(&b, " %d", r.Varint())
			}
		}
	case wire.OpKVTxn:
		var m wire.KVTxn
		_ = m.Decode(body)
		for i := range m.Ops {
			one := wire.TakeKVResult(&r)
			fmt.Fprintf(&b, "\n  %v: %s", m.Ops[i].Op, show(m.Ops[i].Op, m.Ops[i].Body, &one))
		}
	case wire.OpKVLCS:
		var m wire.KVLCS
		if _ = m.Decode(body); m.Flags&wire.LCSIdx != 0 {
			for r.Len() > 0 {
				fmt.Fprintf(&b, " %d-%d:%d-%d(%d)", r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint(), r.Uvarint())
			}
			break
		}
		showBody(&b, ans.Body)
	default:
		showBody(&b, ans.Body)
	}
	if r.Err() != nil {
		fmt.Fprintf(&b, " (the answer's body cannot be read: %v)", r.Err())
	}
	return b.String()
}

func showBody(b *strings.Builder, body []byte) {
	switch {
	case len(body) > 60:
		fmt.Fprintf(b, " %q… %d bytes", body[:20], len(body))
	case body != nil:
		fmt.Fprintf(b, " %q", body)
	}
}

func showEntry(b *strings.Builder, r *wire.Reader) {
	e := wire.TakeKVEntry(r)
	if e.Version == 0 {
		b.WriteString(" -")
		return
	}
	fmt.Fprintf(b, " [")
	if len(e.Key) > 0 {
		fmt.Fprintf(b, "%q ", e.Key)
	}
	fmt.Fprintf(b, "v%d", e.Version)
	if e.Expires != 0 {
		fmt.Fprintf(b, " x%d", e.Expires)
	}
	if len(e.Value) > 0 {
		fmt.Fprintf(b, " %q", e.Value)
	}
	b.WriteString("]")
}
