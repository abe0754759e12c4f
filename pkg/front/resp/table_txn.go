package resp

// txnCommands are the rows of the commands of transactions.
func txnCommands() []command {
	return []command{
		{
			name: "discard", arity: 1, flags: noScript | loading | stale | isFast | allowBusy | catTransaction,
			group: "transactions", since: "2.0.0",
			summary: "Discard all commands issued after MULTI.",
			run:     cmdDiscard,
		},
		{
			name: "exec", arity: 1, flags: noScript | loading | stale | skipSlowlog | catTransaction,
			group: "transactions", since: "1.2.0",
			summary: "Execute all commands issued after MULTI.",
			run:     cmdExec,
		},
		{
			name: "multi", arity: 1, flags: noScript | loading | stale | isFast | allowBusy | catTransaction,
			group: "transactions", since: "1.2.0",
			summary: "Mark the start of a transaction block.",
			run:     cmdMulti,
		},
		{
			name: "unwatch", arity: 1, flags: noScript | loading | stale | isFast | allowBusy | catTransaction,
			group: "transactions", since: "2.2.0",
			summary: "Forget about all watched keys.",
			run:     cmdUnwatch,
		},
		{
			name: "watch", arity: -2, flags: noScript | loading | stale | isFast | allowBusy | catTransaction | alone,
			keys:  []keySpec{{keyRO, 1, -1, 1, ""}},
			group: "transactions", since: "2.2.0",
			summary: "Watch the given keys to determine execution of the MULTI/EXEC block.",
			run:     cmdWatch,
		},
	}
}
