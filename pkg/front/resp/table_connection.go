package resp

// connectionCommands are the rows of the commands on the connection itself.
func connectionCommands() []command {
	return []command{
		{
			name: "auth", arity: -2, flags: noScript | loading | stale | isFast | noAuth | allowBusy | catConnection | alone,
			group: "connection", since: "1.0.0",
			summary: "Authenticate to the server.",
			run:     cmdAuth,
		},
		{
			name: "client", arity: -2, flags: alone,
			group: "connection", since: "2.4.0",
			summary: "A container for client connection commands.",
			subs: []command{
				{
					name: "caching", arity: 3, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "6.0.0",
					summary: "Instruct the server about tracking or not keys in the next request.",
					run:     cmdClientCaching,
				},
				{
					name: "getname", arity: 2, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "2.6.9",
					summary: "Get the current connection name.",
					run:     cmdClientGetname,
				},
				{
					name: "getredir", arity: 2, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "6.0.0",
					summary: "Get tracking notifications redirection client ID if any.",
					run:     cmdClientGetredir,
				},
				{
					name: "help", arity: 2, flags: loading | stale | catConnection | alone,
					group: "connection", since: "5.0.0",
					summary: "Show helpful text about the different subcommands.",
					run:     cmdHelp,
				},
				{
					name: "id", arity: 2, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "5.0.0",
					summary: "Returns the client ID for the current connection.",
					run:     cmdClientID,
				},
				{
					name: "info", arity: 2, flags: noScript | loading | stale | catConnection | alone,
					tips:  []string{"nondeterministic_output"},
					group: "connection", since: "6.2.0",
					summary: "Returns information about the current client connection.",
					run:     cmdClientInfo,
				},
				{
					name: "kill", arity: -3, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					group: "connection", since: "2.4.0",
					summary: "Kill the connection of a client.",
					run:     cmdClientKill,
				},
				{
					name: "list", arity: -2, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					tips:  []string{"nondeterministic_output"},
					group: "connection", since: "2.4.0",
					summary: "Get the list of client connections.",
					run:     cmdClientList,
				},
				{
					name: "no-evict", arity: 3, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					group: "connection", since: "7.0.0",
					summary: "Set client eviction mode for the current connection.",
					run:     cmdClientOnOff,
				},
				{
					name: "no-touch", arity: 3, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "7.2.0",
					summary: "Control whether commands sent by the client affect the LRU/LFU of accessed keys.",
					run:     cmdClientOnOff,
				},
				{
					name: "pause", arity: -3, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					group: "connection", since: "2.9.50",
					summary: "Stop processing commands from clients for some time.",
					run:     cmdClientPause,
				},
				{
					name: "reply", arity: 3, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "3.2.0",
					summary: "Instruct the server whether to reply to commands.",
					run:     cmdClientReply,
				},
				{
					name: "setinfo", arity: 4, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "7.2.0",
					summary: "Set information specific to the client or connection.",
					run:     cmdClientSetinfo,
				},
				{
					name: "setname", arity: 3, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "2.6.9",
					summary: "Set the current connection name.",
					run:     cmdClientSetname,
				},
				{
					name: "tracking", arity: -3, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "6.0.0",
					summary: "Enable or disable server assisted client side caching support.",
					run:     cmdClientTracking,
				},
				{
					name: "trackinginfo", arity: 2, flags: noScript | loading | stale | catConnection | alone,
					group: "connection", since: "6.2.0",
					summary: "Return information about server assisted client side caching for the current connection.",
					run:     cmdClientTrackinginfo,
				},
				{
					name: "unblock", arity: -3, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					group: "connection", since: "5.0.0",
					summary: "Unblock a client blocked in a blocking command from a different connection.",
					run:     cmdClientUnblock,
				},
				{
					name: "unpause", arity: 2, flags: isAdmin | noScript | loading | stale | catConnection | alone,
					group: "connection", since: "6.2.0",
					summary: "Resume processing of clients that were paused.",
					run:     cmdOK,
				},
			},
		},
		{
			name: "echo", arity: 2, flags: loading | stale | isFast | catConnection,
			group: "connection", since: "1.0.0",
			summary: "Echo the given string.",
			run:     cmdEcho,
		},
		{
			name: "hello", arity: -1, flags: noScript | loading | stale | isFast | noAuth | allowBusy | catConnection | alone,
			group: "connection", since: "6.0.0",
			summary: "Handshake with Redis.",
			run:     cmdHello,
		},
		{
			name: "ping", arity: -1, flags: isFast | catConnection,
			tips:  []string{"request_policy:all_shards", "response_policy:all_succeeded"},
			group: "connection", since: "1.0.0",
			summary: "Ping the server.",
			run:     cmdPing,
		},
		{
			name: "quit", arity: -1, flags: noScript | loading | stale | isFast | noAuth | allowBusy | catConnection | alone,
			group: "connection", since: "1.0.0",
			summary: "Close the connection.",
			run:     cmdQuit,
		},
		{
			name: "reset", arity: 1, flags: noScript | loading | stale | isFast | noAuth | allowBusy | catConnection | alone,
			group: "connection", since: "6.2.0",
			summary: "Reset the connection.",
			run:     cmdReset,
		},
		{
			name: "select", arity: 2, flags: loading | stale | isFast | catConnection,
			group: "connection", since: "1.0.0",
			summary: "Change the selected database for the current connection.",
			run:     cmdSelect,
		},
	}
}
