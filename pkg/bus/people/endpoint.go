package people

import "github.com/skshohagmiah/flin/pkg/wire"

// endpoint is what can be asked of an engine: a row of its table.
type endpoint struct {
	verb string
	// name says what the name behind the verb is of. Empty: there is none; optional: it may be left out.
	name     string
	optional bool
	body     string   // what the body is; empty: nothing that counts
	options  []string // headers, without Flin-
	carries  bool     // other headers are those of the message or record that is put in
	writes   bool     // it counts without an answer, as by nats pub
	answer   string   // what is answered
	serve    func(c *call) error
}

// endpoints returns the table of an engine, nil if it has none.
func endpoints(id wire.EngineID) []endpoint {
	switch id {
	case wire.EngineKV:
		return kvEndpoints()
	case wire.EngineQueue:
		return queueEndpoints()
	case wire.EngineStream:
		return streamEndpoints()
	case wire.EngineDoc:
		return docEndpoints()
	default:
		return nil
	}
}

// describe returns what an engine is called in lists.
func describe(id wire.EngineID) string {
	switch id {
	case wire.EngineKV:
		return "Flin's key-value store"
	case wire.EngineQueue:
		return "Flin's message queues"
	case wire.EngineStream:
		return "Flin's partitioned streams"
	case wire.EngineDoc:
		return "Flin's document database"
	default:
		return "Flin"
	}
}

// subject returns what the endpoint is asked on.
func (e *endpoint) subject(prefix string) string {
	if e.name == "" {
		return prefix + e.verb
	}
	return prefix + e.verb + ".>"
}
