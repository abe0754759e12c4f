package people

import (
	"math"
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	scanLimit = 100      // keys of a scan, unless it says
	scanMost  = 1000     // keys of a scan, at most
	scanValue = 32 << 10 // bytes of a value that a scan shows; of a longer one it says the size
)

func kvEndpoints() []endpoint {
	return []endpoint{
		{
			verb: "get", name: "key", options: []string{"DB"}, serve: kvGet,
			answer: "the value; Flin-Version, Flin-Expires",
		},
		{
			verb: "set", name: "key", body: "the value", options: []string{"DB", "TTL", "If-Version"}, writes: true, serve: kvSet,
			answer: "OK; Flin-Version",
		},
		{verb: "del", name: "key", options: []string{"DB", "If-Version"}, writes: true, serve: kvDel, answer: "1 if the key was there, else 0"},
		{
			verb: "scan", name: "prefix", optional: true, options: []string{"DB", "Limit", "Match", "After"}, serve: kvScan,
			answer: "a line of JSON a key; Flin-After if there are more",
		},
	}
}

func (c *call) db() byte { return byte(c.number("DB", 0, wire.KVDatabases-1, 0)) }

func kvGet(c *call) error {
	resp, err := c.ask(wire.OpKVGet, (&wire.KVKey{DB: c.db(), Key: c.name}).Append(nil))
	if err != nil {
		return err
	}
	c.setNumber("Version", resp.Rev)
	if resp.Num != 0 {
		c.setNumber("Expires", uint64(resp.Num))
	}
	return c.give(resp.Body)
}

func kvSet(c *call) error {
	m := wire.KVSet{DB: c.db(), Key: c.name, Value: c.m.Data}
	if ttl := c.number("TTL", 1, math.MaxInt64, 0); ttl != 0 {
		m.Expiry = wire.Expiry{Kind: wire.ExpiryIn, Ms: int64(ttl)}
	}
	if c.given("If-Version") {
		m.Flags = wire.SetIfVersion
		m.Version = c.number("If-Version", 0, math.MaxUint64, 0)
	}
	resp, err := c.ask(wire.OpKVSet, m.Append(nil))
	if err != nil {
		return err
	}
	c.setNumber("Version", resp.Rev)
	return c.giveText("OK")
}

func kvDel(c *call) error {
	m := wire.KVDel{DB: c.db(), Key: c.name, IfVersion: c.given("If-Version")}
	m.Version = c.number("If-Version", 1, math.MaxUint64, 0)
	resp, err := c.ask(wire.OpKVDel, m.Append(nil))
	if err != nil {
		return err
	}
	return c.giveText(strconv.FormatInt(resp.Num, 10))
}

// scanned is a key that a scan shows.
type scanned struct {
	Key       *string `json:"key,omitempty"`
	KeyRaw    []byte  `json:"key_base64,omitempty"`
	Value     *string `json:"value,omitempty"`
	ValueRaw  []byte  `json:"value_base64,omitempty"`
	ValueSize int     `json:"size,omitempty"` // of a value that is too long to be shown
	Version   uint64  `json:"version"`
	Expires   int64   `json:"expires,omitempty"`
}

func kvScan(c *call) error {
	m := wire.KVScan{
		DB: c.db(), Limit: c.number("Limit", 1, scanMost, scanLimit), Prefix: c.name, Match: []byte(c.text("Match")), After: c.bytes("After"),
	}
	if m.After != nil {
		m.Flags = wire.ScanAfter
	}
	resp, err := c.ask(wire.OpKVScan, m.Append(nil))
	if err != nil {
		return err
	}
	r := wire.NewReader(resp.Body)
	goOn := r.Bytes()
	for r.Len() > 0 {
		e := wire.TakeKVEntry(&r)
		if r.Err() != nil {
			break
		}
		one := scanned{Version: e.Version, Expires: e.Expires}
		one.Key, one.KeyRaw = say(e.Key)
		if len(e.Value) > scanValue {
			one.ValueSize = len(e.Value)
		} else {
			one.Value, one.ValueRaw = say(e.Value)
		}
		fits, err := c.line(one)
		if err != nil {
			return err
		}
		if !fits {
			c.set("After", m.After)
			return nil
		}
		m.After = e.Key
	}
	if resp.Num != 0 {
		c.set("After", goOn)
	}
	return r.Close()
}
