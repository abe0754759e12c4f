package people

import (
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// listLimit is how many things a list shows unless it says, and at most.
const listLimit = 1000

func queueEndpoints() []endpoint {
	return []endpoint{
		{
			verb: "push", name: "queue", body: "the message; other headers are its own", writes: true, carries: true, serve: queuePush,
			options: []string{"Delay", "Priority", "Dedup", "Group", "TTL"},
			answer:  "its id",
		},
		{
			verb: "pop", name: "queue", options: []string{"Wait"}, serve: queuePop,
			answer: "the message and its headers; Flin-ID, Flin-Attempt",
		},
		{verb: "len", name: "queue", serve: queueLen, answer: "how many messages are ready"},
		{
			verb: "ls", options: []string{"Match", "After", "Limit"}, serve: queueList,
			answer: "a line of JSON a queue; Flin-After if there are more",
		},
	}
}

func queuePush(c *call) error {
	m := wire.QueueMessage{Body: c.m.Data, Headers: c.carried, Dedup: []byte(c.text("Dedup")), Group: []byte(c.text("Group"))}
	m.NotBefore = int64(c.number("Delay", 0, wire.MaxDelay, 0))
	m.Priority = uint8(c.number("Priority", 0, 255, 0))
	m.TTL = int64(c.number("TTL", 1, wire.MaxDelay, 0))
	for _, f := range []struct {
		flag  wire.MessageFlags
		given bool
	}{
		{wire.MessageDelayed, m.NotBefore != 0},
		{wire.MessagePriority, m.Priority != 0},
		{wire.MessageTTL, m.TTL != 0},
		{wire.MessageDedup, len(m.Dedup) > 0},
		{wire.MessageGroup, len(m.Group) > 0},
		{wire.MessageHeaders, len(m.Headers) > 0},
	} {
		if f.given {
			m.Flags |= f.flag
		}
	}
	resp, err := c.ask(wire.OpQueuePush, (&wire.QueuePush{Queue: c.name, Messages: []wire.QueueMessage{m}}).Append(nil))
	if err != nil {
		return err
	}
	if len(resp.Body) != 8 {
		return wire.ErrTruncated
	}
	return c.giveText(wire.MessageID(binary.BigEndian.Uint64(resp.Body)).String())
}

// queuePop leases a message and acknowledges it when its answer was heard: popped at once, one that does not fit into an answer, or
// that comes when nobody waits any more, would be lost.
func queuePop(c *call) error {
	resp, err := c.ask(wire.OpQueueLease, (&wire.QueuePop{Queue: c.name, Count: 1, Wait: uint64(c.wait().Milliseconds())}).Append(nil))
	if err != nil {
		return err
	}
	var d wire.QueueDelivery
	r := wire.NewReader(resp.Body)
	if wire.TakeDelivery(&r, &d); r.Close() != nil {
		return r.Close()
	}
	for _, h := range d.Headers {
		c.carry(string(h.Name), string(h.Value))
	}
	c.set("ID", d.Receipt.ID.AppendString(nil))
	c.setNumber("Attempt", uint64(d.Receipt.Attempt))
	if len(d.Group) > 0 {
		c.set("Group", d.Group)
	}
	if err = c.give(d.Body); err == nil {
		err = c.hand()
	}
	if err != nil {
		_, _ = c.ask(wire.OpQueueNack, (&wire.QueueNack{Queue: c.name, Receipt: d.Receipt, Error: []byte(err.Error())}).Append(nil)) // else its lease ends
		return err
	}
	_, err = c.ask(wire.OpQueueAck, (&wire.QueueAck{Queue: c.name, Receipts: []wire.Receipt{d.Receipt}}).Append(nil))
	return err // for the figures: the message was heard, and may come again
}

// carry puts a header of a message into the answer. What NATS cannot carry is left out, and what would be taken for ours or NATS's own.
func (c *call) carry(name, value string) {
	lower := strings.ToLower(name)
	if strings.HasPrefix(lower, optionPrefix) || strings.HasPrefix(lower, "nats-") || !printable(name) || strings.ContainsAny(name, ": ") || !printable(value) {
		return
	}
	c.header[name] = append(c.header[name], value)
}

// printable reports whether NATS can carry a text in a header as it is.
func printable(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return text != "" && strings.TrimSpace(text) == text
}

func queueLen(c *call) error {
	resp, err := c.ask(wire.OpQueueLen, (&wire.QueueName{Queue: c.name}).Append(nil))
	if err != nil {
		return err
	}
	return c.giveText(strconv.FormatInt(resp.Num, 10))
}

// queueLine is a queue in a list.
type queueLine struct {
	Name    string `json:"name"`
	Ready   uint64 `json:"ready"`
	Delayed uint64 `json:"delayed"`
	Leased  uint64 `json:"leased"`
	Dead    uint64 `json:"dead"`
	Oldest  int64  `json:"oldest,omitempty"` // when the oldest that is ready was pushed, ms since 1970
	Paused  bool   `json:"paused,omitempty"`
}

func queueList(c *call) error {
	m := wire.QueueList{After: c.bytes("After"), Match: []byte(c.text("Match")), Limit: c.number("Limit", 1, listLimit, listLimit)}
	resp, err := c.ask(wire.OpQueueList, m.Append(nil))
	if err != nil {
		return err
	}
	var q wire.QueueInfo
	return c.list(&resp, m.After, func(r *wire.Reader) (name []byte, line any) {
		wire.TakeQueueInfo(r, &q)
		return q.Name, queueLine{
			Name: string(q.Name), Ready: q.Ready, Delayed: q.Delayed, Leased: q.Leased, Dead: q.Dead, Oldest: q.Oldest, Paused: q.Paused,
		}
	})
}

// list answers with what a list has, a line each. Flin-After is the name of the last if there is more; after is that of the one before the first.
func (c *call) list(resp *wire.Response, after []byte, take func(r *wire.Reader) (name []byte, line any)) error {
	r := wire.NewReader(resp.Body)
	for r.Len() > 0 {
		name, line := take(&r)
		if r.Err() != nil {
			break
		}
		fits, err := c.line(line)
		if err != nil {
			return err
		}
		if !fits {
			c.set("After", after)
			return nil
		}
		after = append([]byte(nil), name...)
	}
	if resp.Num != 0 {
		c.set("After", after)
	}
	return r.Close()
}
