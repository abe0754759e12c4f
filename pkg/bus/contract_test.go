package bus_test

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// known is memkv without what never answers by itself.
type known struct{ *memkv.Engine }

func (k known) Submit(req wire.Request, r engine.Replier) {
	if req.Op == memkv.Hold || req.Op == wire.OpKVWatch {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "operation %v is not known", req.Op))
		return
	}
	k.Engine.Submit(req, r)
}

func contract() enginetest.Spec {
	key := []byte("counter")
	at := wire.KVKey{Key: key}
	return enginetest.Spec{
		Ops: map[wire.Op][]wire.Code{
			wire.OpKVSet: {wire.Exists, wire.NotFound, wire.Conflict}, wire.OpKVGet: {wire.NotFound}, wire.OpKVDel: {wire.Conflict},
			wire.OpKVIncr: nil, wire.OpKVStat: {wire.NotFound},
		},
		Samples: []wire.Request{
			{Op: wire.OpKVSet, Body: (&wire.KVSet{DB: 3, Key: key, Value: []byte("1")}).Append(nil)},
			{Op: wire.OpKVGet, Body: (&wire.KVKey{DB: 3, Key: key}).Append(nil)},
			{Op: wire.OpKVStat, Body: (&wire.KVKey{DB: 3, Key: key}).Append(nil)},
			{Op: wire.OpKVIncr, Body: (&wire.KVIncr{DB: 3, Key: key, By: 1}).Append(nil)},
			{Op: wire.OpKVDel, Body: (&wire.KVDel{DB: 3, Key: key}).Append(nil)},
		},
		Write: func(n int) wire.Request {
			return wire.Request{Op: wire.OpKVSet, Body: (&wire.KVSet{Key: key, Value: fmt.Append(nil, n)}).Append(nil)}
		},
		Read: func() wire.Request { return wire.Request{Op: wire.OpKVGet, Body: at.Append(nil)} },
		Found: func(resp *wire.Response) (n int, err error) {
			if resp.Code == wire.NotFound {
				return 0, nil
			}
			_, err = fmt.Sscan(string(resp.Body), &n)
			return n, err
		},
	}
}

func TestAnEngineKeepsItsContractOverTheBus(t *testing.T) {
	enginetest.RunIn(t, "bus", contract(), func(t *testing.T) engine.Engine {
		return bustest.Far(t, wire.EngineKV, known{memkv.New()})
	})
}

func TestAnEngineKeepsItsContractInSmallMessages(t *testing.T) {
	enginetest.RunIn(t, "bus/max_payload=3KiB", contract(), func(t *testing.T) engine.Engine {
		ns := bustest.NATS(t, func(c *bus.EmbedConfig) { c.MaxPayload = 3 << 10 })
		bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, known{memkv.New()}, nil)
		c := bustest.Dial(t, ns.URL())
		return bustest.Engine(t, c, wire.EngineKV, nil)
	})
}
