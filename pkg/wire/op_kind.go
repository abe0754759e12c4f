package wire

// Streams reports whether the operation is answered by any number of answers with More set, under credits, until it is
// cancelled. Such a request does not count against a connection's limit of unanswered requests but against its limit of streams.
func (op Op) Streams() bool { return op == OpKVWatch || op == OpDocWatch }

// Waits reports whether the operation may be held back for as long as its payload says, until there is something to answer.
func (op Op) Waits() bool {
	return op == OpQueuePop || op == OpQueueLease || op == OpStreamFetch || op == OpStreamConsume
}

// Internal reports whether the operation is one that an engine proposes to itself. Fronts answer it Unsupported.
func (op Op) Internal() bool { return op&0xFF >= 0xF0 && op.Engine() != EngineAdmin }
