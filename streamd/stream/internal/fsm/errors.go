package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

var (
	errRead       = &wire.Error{Code: wire.Invalid, Msg: "an ordered read cannot write"}
	errNone       = &wire.Error{Code: wire.Invalid, Msg: "a batch has at least one element"}
	errFlags      = &wire.Error{Code: wire.Invalid, Msg: "a record has flags that do not exist or exclude one another"}
	errCompaction = &wire.Error{Code: wire.Unsupported, Msg: "compaction of topics is not supported: records go by age and by size"}
	errInstalled  = &wire.Error{Code: wire.Unavailable, Msg: "a snapshot was just installed: try again"}
	errResolved   = &wire.Error{Code: wire.Invalid, Msg: "the offsets that a reset resolves to are not for clients to give"}
)

func errNoTopic(name []byte) *wire.Error {
	return wire.Errorf(wire.NotFound, "topic %q is not there", name)
}

func errNoGroup(name []byte) *wire.Error {
	return wire.Errorf(wire.NotFound, "group %q is not there", name)
}

func errNoPartition(t *topic, partition int32) *wire.Error {
	return wire.Errorf(wire.OutOfRange, "topic %q has %d partitions, numbered from 0: there is no partition %d", t.snap.Name, len(t.parts), partition)
}

func errOffset(p *partition, offset int64) *wire.Error {
	return wire.Errorf(wire.OutOfRange, "offset %d is out of range: partition %d of topic %q goes from %d to %d",
		offset, p.no, p.t.snap.Name, p.start, p.end)
}

func errNoMember(topic, group, consumer []byte) *wire.Error {
	return wire.Errorf(wire.Fenced, "consumer %q is not, or is no longer, a member of group %q that has subscribed to topic %q: subscribe again",
		consumer, group, topic)
}

func errTooMany(what string, limit int) *wire.Error {
	return wire.Errorf(wire.Full, "there are %d %s, as many as there may be: delete some", limit, what)
}

// over says that a number is above its limit.
func over(what string, n, limit uint64) *wire.Error {
	return wire.Errorf(wire.Invalid, "%s of %d is over the limit of %d", what, n, limit)
}
