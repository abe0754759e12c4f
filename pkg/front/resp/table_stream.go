package resp

// streamCommands are the rows of the commands on topics. Names of topics are no keys, and what happens to topics is no part of
// transactions on keys.
func streamCommands() []command {
	return []command{
		{
			name: "s.alter", arity: -3, flags: isWrite | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Change a topic: more partitions, other settings. S.ALTER topic [PARTITIONS n] [RETENTION ms] [MAXBYTES b] [MAXMESSAGE b] [COMPRESSION none|gzip|snappy|lz4|zstd]",
			run:     cmdSAlter,
		},
		{
			name: "s.commit", arity: -5, flags: isWrite | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Say how far a group is done with a partition: the offset of the next record to read. S.COMMIT topic group partition offset [GENERATION g] [CONSUMER name]",
			run:     cmdSCommit,
		},
		{
			name: "s.consume", arity: -4, flags: isWrite | isBlocking | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Hand out records of the partitions that a member of a group owns, 100 without COUNT. When its reply was lost, S.SUBSCRIBE again, or ask again with the same TURN, a number from 1 on that grows with each: else its records are skipped. S.CONSUME topic group consumer [COUNT n] [BYTES b] [WAIT ms] [TURN n]",
			run:     cmdSConsume,
		},
		{
			name: "s.create", arity: -4, flags: isWrite | denyOOM | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Make a topic. S.CREATE topic PARTITIONS n [RETENTION ms] [MAXBYTES b] [MAXMESSAGE b] [COMPRESSION none|gzip|snappy|lz4|zstd]",
			run:     cmdSCreate,
		},
		{
			name: "s.delgroup", arity: 2, flags: isWrite | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Forget a consumer group that has no members. S.DELGROUP group",
			run:     cmdSDelgroup,
		},
		{
			name: "s.drop", arity: 2, flags: isWrite | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Delete a topic with its records. S.DROP topic",
			run:     cmdSDrop,
		},
		{
			name: "s.fetch", arity: -4, flags: isRead | isBlocking | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Read a partition from an offset or a time on. S.FETCH topic partition offset|earliest|latest|@ms [COUNT n] [BYTES b] [WAIT ms]",
			run:     cmdSFetch,
		},
		{
			name: "s.groups", arity: -1, flags: isRead | alone | noTxn,
			group: "stream", since: "1.0.0",
			summary: "List the consumer groups, or those of a topic. S.GROUPS [topic] [MATCH pattern]",
			run:     cmdSGroups,
		},
		{
			name: "s.heartbeat", arity: 4, flags: isRead | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Say that a member is alive, and show what it owns. S.HEARTBEAT topic group consumer",
			run:     cmdSHeartbeat,
		},
		{
			name: "s.info", arity: 2, flags: isRead | isFast | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "stream", since: "1.0.0",
			summary: "Show the settings and partitions of a topic. S.INFO topic",
			run:     cmdSInfo,
		},
		{
			name: "s.lag", arity: 3, flags: isRead | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "stream", since: "1.0.0",
			summary: "Show how far a group is in a topic. S.LAG topic group",
			run:     cmdSLag,
		},
		{
			name: "s.leave", arity: 4, flags: isWrite | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "End a consumer's membership. S.LEAVE topic group consumer",
			run:     cmdSLeave,
		},
		{
			name: "s.offsets", arity: -2, flags: isRead | noTxn,
			tips:  []string{"nondeterministic_output"},
			group: "stream", since: "1.0.0",
			summary: "Show where the partitions of a topic begin, end, or have a time. S.OFFSETS topic [earliest|latest|@ms]",
			run:     cmdSOffsets,
		},
		{
			name: "s.publish", arity: -3, flags: isWrite | denyOOM | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Put a record into a topic. S.PUBLISH topic value [KEY key] [PARTITION p] [TS unix-ms] [HEADER name value ...]",
			run:     cmdSPublish,
		},
		{
			name: "s.reset", arity: -4, flags: isWrite | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Move a group to another place in a topic. S.RESET topic group earliest|latest|@ms|offset [PARTITION p]",
			run:     cmdSReset,
		},
		{
			name: "s.seek", arity: 6, flags: isWrite | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Move a member to another place in a partition that it owns. S.SEEK topic group consumer partition earliest|latest|offset",
			run:     cmdSSeek,
		},
		{
			name: "s.subscribe", arity: -4, flags: isWrite | denyOOM | isFast | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Make a consumer a member of a group. It is removed when there was no S.CONSUME, no S.HEARTBEAT and no S.COMMIT with its CONSUMER for SESSION, or no S.CONSUME for POLL, 5 minutes each by default. S.SUBSCRIBE topic group consumer [LATEST] [RANGE] [SESSION ms] [POLL ms]",
			run:     cmdSSubscribe,
		},
		{
			name: "s.topics", arity: -1, flags: isRead | alone | noTxn,
			group: "stream", since: "1.0.0",
			summary: "Name the topics. S.TOPICS [MATCH pattern]",
			run:     cmdSTopics,
		},
	}
}
