package resp

import "slices"

// flag is a property of a command. The names are those of COMMAND INFO's flags and categories.
type flag uint32

const (
	isWrite flag = 1 << iota
	isRead
	denyOOM
	isAdmin
	noScript
	loading
	stale
	isFast
	noAuth // may be sent before the password was shown
	allowBusy
	noAsyncLoading
	skipSlowlog
	noMulti
	isBlocking

	catString
	catKeyspace
	catBitmap
	catConnection
	catTransaction
	catAdmin
	catDangerous

	// alone: every earlier command of the connection has been answered before this one begins.
	alone
	// noTxn: may not stand in a transaction, because it cannot be part of one log entry.
	noTxn
)

// keyFlag says what a command does with a key. The names are those of COMMAND GETKEYSANDFLAGS.
type keyFlag uint16

const (
	keyRO keyFlag = 1 << iota
	keyRW
	keyOW
	keyRM
	keyAccess
	keyUpdate
	keyInsert
	keyDelete
	keyVariable
)

// keySpec says which arguments are keys: from the one numbered first (the command's name is 0) in steps up to last,
// counted from first, or from the end (-1 is the last argument) where negative.
type keySpec struct {
	flags             keyFlag
	first, last, step int
	note              string // what COMMAND INFO remarks
}

// command is a row of the table.
type command struct {
	name       string // in lower case; of a subcommand its own name alone
	arity      int    // arguments with the name; negative: at least so many
	flags      flag
	keys       []keySpec
	tips       []string
	group      string
	since      string
	summary    string
	deprecated string // since when
	replacedBy string
	run        func(*conn, [][]byte) // gets all arguments, the name first
	subs       []command             // of a command that is only a name for a family

	full  string // name, for a subcommand behind its family's name and a bar
	index int    // counts through all rows, subcommands too
}

// commands is the table with its index.
type commands struct {
	rows   []command
	byName map[string]*command
	get    *command // the two that are most of all traffic
	set    *command
	all    []*command // by index
}

func newCommands() *commands {
	t := &commands{byName: make(map[string]*command)}
	t.rows = slices.Concat(connectionCommands(), serverCommands(), keysCommands(), stringsCommands(), bitsCommands(),
		txnCommands(), queueCommands(), streamCommands(), docCommands())
	for i := range t.rows {
		c := &t.rows[i]
		t.add(c, c.name)
		t.byName[c.name] = c
		for j := range c.subs {
			t.add(&c.subs[j], c.name+"|"+c.subs[j].name)
		}
	}
	t.get, t.set = t.byName["get"], t.byName["set"]
	return t
}

func (t *commands) add(c *command, full string) {
	c.full, c.index = full, len(t.all)
	t.all = append(t.all, c)
}

// maxName is longer than any command's name.
const maxName = 24

// lookup finds a command by name, in whatever case.
func (t *commands) lookup(name []byte) *command {
	if len(name) == 3 {
		switch uint32(name[0])<<16 | uint32(name[1])<<8 | uint32(name[2]) | 0x202020 {
		case 'g'<<16 | 'e'<<8 | 't':
			if fold(name, "get") {
				return t.get
			}
		case 's'<<16 | 'e'<<8 | 't':
			if fold(name, "set") {
				return t.set
			}
		}
	}
	var buf [maxName]byte
	if len(name) > maxName {
		return nil
	}
	for i, c := range name {
		buf[i] = lower(c)
	}
	return t.byName[string(buf[:len(name)])]
}

// sub finds a subcommand by name, in whatever case.
func (c *command) sub(name []byte) *command {
	for i := range c.subs {
		if fold(name, c.subs[i].name) {
			return &c.subs[i]
		}
	}
	return nil
}

// takes reports whether the command takes n arguments, its name counted.
func (c *command) takes(n int) bool { return n == c.arity || c.arity < 0 && n >= -c.arity }

// positions calls fn for every argument of a command of n arguments that is a key. Redis says which they are by the
// same rules for every command, so a command line that the command itself would refuse can have keys too.
func (c *command) positions(n int, fn func(i int, flags keyFlag)) {
	for _, k := range c.keys {
		last := k.first + k.last
		if k.last < 0 {
			last = n + k.last
		}
		for i := k.first; i <= last && i < n; i += k.step {
			fn(i, k.flags)
		}
	}
}
