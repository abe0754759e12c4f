package resp

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// params are the parameters that CONFIG GET knows: what is so here, said in the names that clients ask for. None of
// them can be changed by a client.
type params struct {
	values map[string]string
}

func (p *params) init(cfg *Config) {
	p.values = map[string]string{
		"appendfsync":             "always",
		"appendonly":              "yes",
		"bind":                    "",
		"cluster-enabled":         "no",
		"databases":               "16",
		"io-threads":              "1",
		"maxclients":              "20000",
		"maxmemory":               "0",
		"maxmemory-policy":        "noeviction",
		"notify-keyspace-events":  "",
		"proto-max-bulk-len":      itoa(cmp.Or(cfg.MaxRequest, cfg.MaxValue)),
		"save":                    "",
		"slave-read-only":         "yes",
		"replica-read-only":       "yes",
		"timeout":                 "0",
		"tracking-table-max-keys": itoa(maxTracked),
	}
	maps.Copy(p.values, cfg.Params)
}

func cmdConfigGet(c *conn, args [][]byte) {
	found := make(map[string]string)
	for _, a := range args[2:] {
		pattern := strings.ToLower(string(a))
		for name, value := range c.s.params.values {
			if matchGlob(pattern, name) {
				found[name] = value
			}
		}
	}
	b := appendMap(c.begin(), len(found), c.resp3)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		b = appendBulk(appendBulk(b, name), found[name])
	}
	c.end(b)
}

// cmdConfigSet agrees to what is so already and refuses the rest: configuration is read once, at the start.
func cmdConfigSet(c *conn, args [][]byte) {
	if len(args)%2 != 0 {
		c.failArity()
		return
	}
	seen := make(map[string]bool)
	for i := 2; i < len(args); i += 2 {
		name := strings.ToLower(string(args[i]))
		value, ok := c.s.params.values[name]
		switch {
		case !ok:
			c.fail("ERR Unknown option or number of arguments for CONFIG SET - '" + cText(args[i], len(args[i])) + "'")
			return
		case seen[name]:
			c.fail("ERR CONFIG SET failed (possibly related to argument '" + name + "') - duplicate parameter")
			return
		case value != string(args[i+1]):
			c.fail("ERR CONFIG SET failed (possibly related to argument '" + name + "') - can't set immutable config")
			return
		}
		seen[name] = true
	}
	c.replyOK()
}

func cmdConfigResetstat(c *conn, _ [][]byte) {
	c.s.stats.reset()
	c.replyOK()
}

func cmdConfigRewrite(c *conn, _ [][]byte) { c.fail("ERR The server is running without a config file") }
