package resp

// queueCommands are the rows of the commands on message queues. Names of queues are no keys, and what happens to queues is
// no part of transactions on keys.
func queueCommands() []command {
	return []command{
		{
			name: "q.ack", arity: -3, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Acknowledge leased messages: they are removed. Q.ACK queue receipt [receipt ...]",
			run:     cmdQAck,
		},
		{
			name: "q.create", arity: -2, flags: isWrite | denyOOM | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Make a queue, or change its settings. Q.CREATE queue [LEASE ms] [MAXDELIVER n] [DLQ queue] [MAXLEN n] [OVERFLOW reject|drop] [TTL ms]",
			run:     cmdQCreate,
		},
		{
			name: "q.del", arity: 2, flags: isWrite | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Delete a queue with its messages and settings. Q.DEL queue",
			run:     cmdQDel,
		},
		{
			name: "q.extend", arity: 4, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Make a lease end so many milliseconds from now. Q.EXTEND queue receipt ms",
			run:     cmdQExtend,
		},
		{
			name: "q.get", arity: 3, flags: isRead | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Show a message, whatever its state. Q.GET queue id",
			run:     cmdQGet,
		},
		{
			name: "q.info", arity: 2, flags: isRead | isFast | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "queue", since: "1.0.0",
			summary: "Show the figures and settings of a queue. Q.INFO queue",
			run:     cmdQInfo,
		},
		{
			name: "q.lease", arity: -2, flags: isWrite | isBlocking | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Lease messages: they are delivered again unless they are acknowledged in time. Q.LEASE queue [COUNT n] [WAIT ms] [FOR ms]",
			run:     cmdQPop,
		},
		{
			name: "q.len", arity: 2, flags: isRead | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Count the messages of a queue that are ready. Q.LEN queue",
			run:     cmdQLen,
		},
		{
			name: "q.list", arity: -1, flags: isRead | alone | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Name the queues. Q.LIST [MATCH pattern]",
			run:     cmdQList,
		},
		{
			name: "q.mpush", arity: -3, flags: isWrite | denyOOM | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Push messages, all or none. Q.MPUSH queue body [body ...]",
			run:     cmdQMpush,
		},
		{
			name: "q.nack", arity: -3, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Give a leased message back. Q.NACK queue receipt [DELAY ms] [ERROR text]",
			run:     cmdQNack,
		},
		{
			name: "q.pause", arity: 2, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Keep the messages of a queue from being delivered. Q.PAUSE queue",
			run:     cmdQPause,
		},
		{
			name: "q.peek", arity: -2, flags: isRead | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Show the messages that would be delivered next. Q.PEEK queue [COUNT n]",
			run:     cmdQPeek,
		},
		{
			name: "q.pop", arity: -2, flags: isWrite | isFast | isBlocking | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Take messages out of a queue. Q.POP queue [COUNT n] [WAIT ms]",
			run:     cmdQPop,
		},
		{
			name: "q.purge", arity: 2, flags: isWrite | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Remove every message of a queue. Q.PURGE queue",
			run:     cmdQPurge,
		},
		{
			name: "q.push", arity: -3, flags: isWrite | denyOOM | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Push a message. Q.PUSH queue body [DELAY ms | AT unix-ms] [PRIORITY n] [DEDUP id] [GROUP key] [TTL ms] [HEADER name value ...]",
			run:     cmdQPush,
		},
		{
			name: "q.redrive", arity: -2, flags: isWrite | denyOOM | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Move dead messages back to where they came from. Q.REDRIVE queue [COUNT n]",
			run:     cmdQRedrive,
		},
		{
			name: "q.reject", arity: -3, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Send a leased message to the dead-letter queue. Q.REJECT queue receipt [ERROR text]",
			run:     cmdQReject,
		},
		{
			name: "q.remove", arity: 3, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "Remove a message, whatever its state. Q.REMOVE queue id",
			run:     cmdQRemove,
		},
		{
			name: "q.resume", arity: 2, flags: isWrite | isFast | noTxn,
			group: "queue", since: "1.0.0",
			summary: "End Q.PAUSE. Q.RESUME queue",
			run:     cmdQResume,
		},
	}
}
