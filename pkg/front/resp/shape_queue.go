package resp

import (
	"encoding/binary"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// encodeQueue appends the reply of a command on queues that went well. It is called with the output locked.
func (s *slot) encodeQueue(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	switch s.shape {
	case shapePushed, shapePushedAll:
		return s.encodePushed(c, b, resp)
	case shapeBody, shapeBodies, shapeMessages, shapePeeked, shapeMessage:
		return s.encodeDeliveries(c, b, resp)
	case shapeAcked:
		if resp.Num != s.arg {
			return c.appendStale(b, resp, s.arg)
		}
		return appendInt(b, resp.Num)
	case shapeRemoved:
		return appendInt(b, 1)
	case shapeCount:
		return appendInt(b, resp.Num)
	case shapeQueue:
		var m wire.QueueInfo
		if err := m.Decode(resp.Body); err != nil {
			return c.appendBadAnswer(b, err)
		}
		return appendQueueInfo(b, &m, resp3)
	default:
		return b // the shapes of keys are not served here
	}
}

// encodeQueueFailure appends the reply of a command on queues that went otherwise.
func (s *slot) encodeQueueFailure(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	null := appendNullArray
	if s.shape == shapeBody || s.shape == shapeMessage {
		null = appendNull
	}
	switch {
	case resp.Code == wire.Empty && s.shape == shapePeeked:
		return appendArray(b, 0)
	case resp.Code == wire.Empty, resp.Code == wire.NotFound && s.shape == shapeMessage:
		return null(b, resp3)
	case resp.Code == wire.NotFound && s.shape == shapeRemoved:
		return appendInt(b, 0)
	case resp.Code == wire.Canceled && (s.shape == shapeBody || s.shape == shapeBodies || s.shape == shapeMessages):
		return c.appendEnded(b, resp, resp3, null)
	}
	return c.appendWireError(b, resp)
}

func (c *conn) appendBadAnswer(b []byte, err error) []byte {
	return c.appendFailure(b, "ERR the engine's answer cannot be read: "+err.Error())
}

// encodePushed appends the ids of the messages that were pushed.
func (s *slot) encodePushed(c *conn, b []byte, resp *wire.Response) []byte {
	n := 1
	if s.shape == shapePushedAll {
		n = int(s.arg)
	}
	if len(resp.Body) != 8*n {
		return c.appendBadAnswer(b, wire.ErrTruncated)
	}
	if s.shape == shapePushedAll {
		b = appendArray(b, n)
	}
	for p := resp.Body; len(p) > 0; p = p[8:] {
		b = appendMessageID(b, wire.MessageID(binary.BigEndian.Uint64(p)))
	}
	return b
}

func appendMessageID(b []byte, id wire.MessageID) []byte {
	var text [32]byte
	return appendBulk(b, id.AppendString(text[:0]))
}

// encodeDeliveries appends messages.
func (s *slot) encodeDeliveries(c *conn, b []byte, resp *wire.Response) []byte {
	start := len(b)
	d := &c.delivery
	r := wire.NewReader(resp.Body)
	if s.shape != shapeBody && s.shape != shapeMessage {
		n := resp.Num
		if n < 0 || n > int64(len(resp.Body)) {
			return c.appendBadAnswer(b, wire.ErrTruncated)
		}
		b = appendArray(b, int(n))
		for range n {
			wire.TakeDelivery(&r, d)
			b = s.encodeDelivery(b, d)
		}
	} else {
		wire.TakeDelivery(&r, d)
		b = s.encodeDelivery(b, d)
	}
	err := r.Close()
	*d = wire.QueueDelivery{Headers: d.Headers[:0]}
	if err != nil {
		return c.appendBadAnswer(b[:start], err)
	}
	return b
}

// encodeDelivery appends one message.
func (s *slot) encodeDelivery(b []byte, d *wire.QueueDelivery) []byte {
	switch s.shape {
	case shapeMessages:
		b = appendMessageID(appendArray(b, 5), d.Receipt.ID)
		var text [32]byte
		b = appendBulk(b, d.Receipt.AppendString(text[:0]))
		b = appendInt(b, int64(d.Receipt.Attempt))
		return appendMessageHeaders(appendBulk(b, d.Body), d.Headers)
	case shapePeeked:
		b = appendMessageID(appendArray(b, 4), d.Receipt.ID)
		b = appendInt(b, int64(d.Receipt.Attempt))
		return appendMessageHeaders(appendBulk(b, d.Body), d.Headers)
	case shapeMessage:
		b = appendMessageID(appendBulk(appendArray(b, 20), "id"), d.Receipt.ID)
		b = appendBulk(appendBulk(b, "state"), stateName(d.State))
		b = appendInt(appendBulk(b, "priority"), int64(d.Receipt.ID.Priority()))
		b = appendInt(appendBulk(b, "attempt"), int64(d.Receipt.Attempt))
		b = appendInt(appendBulk(b, "pushed"), d.PushedAt)
		b = appendInt(appendBulk(b, "until"), d.Until)
		b = appendInt(appendBulk(b, "expires"), d.Expires)
		b = appendBulk(appendBulk(b, "group"), d.Group)
		b = appendMessageHeaders(appendBulk(b, "headers"), d.Headers)
		return appendBulk(appendBulk(b, "body"), d.Body)
	default:
		return appendBulk(b, d.Body)
	}
}

func stateName(s wire.DeliveryState) string {
	switch s {
	case wire.DeliveryReady:
		return "ready"
	case wire.DeliveryDelayed:
		return "delayed"
	case wire.DeliveryLeased:
		return "leased"
	}
	return "unknown"
}

func appendMessageHeaders(b []byte, hs []wire.Header) []byte {
	b = appendArray(b, 2*len(hs))
	for _, h := range hs {
		b = appendBulk(appendBulk(b, h.Name), h.Value)
	}
	return b
}

// appendStale appends which of n receipts could not be acknowledged, counted from 1, ten of them at most.
func (c *conn) appendStale(b []byte, resp *wire.Response, n int64) []byte {
	const shown = 10
	var stale []string
	for i, code := range resp.Body {
		if wire.Code(code) != wire.OK {
			stale = append(stale, "number "+itoa(i+1))
		}
	}
	list := strings.Join(stale[:min(len(stale), shown)], ", ")
	if len(stale) > shown {
		list += " …"
	}
	return c.appendFailure(b, "ERR "+itoa(resp.Num)+" of "+itoa(n)+" messages were acknowledged; the receipts of the others are stale: "+list)
}

// appendQueueInfo appends what is known of a queue.
func appendQueueInfo(b []byte, m *wire.QueueInfo, resp3 bool) []byte {
	overflow, paused := "reject", int64(0)
	if m.Settings.Overflow == wire.QueueDrop {
		overflow = "drop"
	}
	if m.Paused {
		paused = 1
	}
	numbers := [...]struct {
		name string
		n    int64
	}{
		{"ready", int64(m.Ready)},
		{"delayed", int64(m.Delayed)},
		{"leased", int64(m.Leased)},
		{"dead", int64(m.Dead)},
		{"oldest", m.Oldest},
		{"paused", paused},
		{"created", m.Created},
		{"pushed", int64(m.Pushed)},
		{"popped", int64(m.Popped)},
		{"acked", int64(m.Acked)},
		{"died", int64(m.Died)},
		{"dropped", int64(m.Dropped)},
		{"pushed-in-10s", int64(m.PushRate)},
		{"popped-in-10s", int64(m.PopRate)},
		{"lease", int64(m.Settings.Lease)},
		{"max-deliver", int64(m.Settings.MaxDeliver)},
		{"max-length", int64(m.Settings.MaxLen)},
		{"ttl", int64(m.Settings.TTL)},
		{"dedup-window", int64(m.Settings.Window)},
	}
	b = appendMap(b, len(numbers)+3, resp3)
	b = appendBulk(appendBulk(b, "name"), m.Name)
	for _, f := range numbers {
		b = appendInt(appendBulk(b, f.name), f.n)
	}
	b = appendBulk(appendBulk(b, "dead-letter-queue"), m.Settings.DeadLetter)
	return appendBulk(appendBulk(b, "overflow"), overflow)
}
