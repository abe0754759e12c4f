package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// onPipe calls work with a connection, again and again, until ctx ends. work returns when its connection is over.
func (st *storm) onPipe(ctx context.Context, work func(p *pipe) error) {
	onPipeTo(ctx, st.addr(), work)
}

func onPipeTo(ctx context.Context, addr string, work func(p *pipe) error) {
	for ctx.Err() == nil {
		var p *pipe
		if !again(ctx, func() (err error) { p, err = dialPipe(addr); return err }) {
			return
		}
		for ctx.Err() == nil {
			if work(p) != nil {
				break
			}
		}
		p.close()
	}
}

// countOnPipe adds to the counters, dozens of increments in one write.
func (st *storm) countOnPipe(ctx context.Context, by string, seed uint64, counters []*tally) {
	rng := rand.New(rand.NewPCG(seed, 1))
	st.onPipe(ctx, func(p *pipe) error {
		var sent []*tally
		for range 1 + rng.IntN(32) {
			c := counters[rng.IntN(len(counters))]
			c.begin()
			p.send("INCR", c.key)
			sent = append(sent, c)
		}
		if err := p.flush(); err != nil {
			return err
		}
		last := map[*tally]int64{}
		for _, c := range sent {
			v, err := p.read()
			if err != nil {
				return err
			}
			switch v := v.(type) {
			case int64:
				c.end(done, v)
				if v <= last[c] {
					st.fail("%s: counter %s answered %d after %d on one connection", by, c.key, v, last[c])
				}
				last[c] = v
			case replyError:
				c.end(st.refused(string(v)), 0)
			default:
				st.fail("%s: INCR answered %v", by, v)
			}
		}
		return nil
	})
}

// chainOnPipe moves the chains on by WATCH, GET, MULTI, SET, EXEC.
func (st *storm) chainOnPipe(ctx context.Context, by string, seed uint64, chains []*chain) {
	rng := rand.New(rand.NewPCG(seed, 2))
	st.onPipe(ctx, func(p *pipe) error {
		c := chains[rng.IntN(len(chains))]
		p.send("WATCH", c.key)
		p.send("GET", c.key)
		if err := p.flush(); err != nil {
			return err
		}
		watched, err := p.read()
		if err != nil {
			return err
		}
		v, err := p.read()
		if err != nil {
			return err
		}
		for _, v := range []any{watched, v} {
			if e, ok := v.(replyError); ok {
				_ = st.refused(string(e))
				return e
			}
		}
		prev, _ := v.([]byte)
		value := c.begin(by, string(prev))
		p.send("MULTI")
		p.send("SET", c.key, value)
		p.send("EXEC")
		if err := p.flush(); err != nil {
			return err
		}
		for range 2 {
			if _, err := p.read(); err != nil {
				return err
			}
		}
		v, err = p.read()
		if err != nil {
			return err
		}
		switch v := v.(type) {
		case nil:
			c.end(value, notDone, 0)
		case []any:
			c.end(value, done, 0)
		case replyError:
			c.end(value, st.refused(string(v)), 0)
		}
		return nil
	})
}

// glance reads groups of others by MGET while they are written, and checks that each is whole.
func (st *storm) glance(ctx context.Context, seed uint64, of []*writer) {
	rng := rand.New(rand.NewPCG(seed, 3))
	st.onPipe(ctx, func(p *pipe) error {
		w := of[rng.IntN(len(of))]
		keys := w.group(rng.IntN(groups))
		if _, err := p.do("SELECT", strconv.Itoa(w.db)); err != nil {
			return err
		}
		v, err := p.do(append([]string{"MGET"}, keys...)...)
		if err != nil {
			if refused, ok := errors.AsType[replyError](err); ok {
				_ = st.refused(string(refused))
				return nil
			}
			return err
		}
		list, _ := v.([]any)
		if why := tornGroup(keys, list); why != "" {
			st.fail("a reader saw %s", why)
		}
		return nil
	})
}

// tornGroup says how the values of a group do not belong together, or nothing.
func tornGroup(keys []string, values []any) string {
	if len(values) != len(keys) {
		return fmt.Sprintf("%d values for %d keys", len(values), len(keys))
	}
	seqs := make([]int64, len(keys))
	for i, v := range values {
		b, _ := v.([]byte)
		seq, ok := seqOf(keys[i], b)
		if !ok {
			return fmt.Sprintf("%s in %s", brief(b), keys[i])
		}
		seqs[i] = seq
	}
	for _, s := range seqs {
		if s != seqs[0] {
			return fmt.Sprintf("writes %d in the group of %s, which are written together", seqs, keys[0])
		}
	}
	return ""
}

// seqOf returns which write of key left value, 0 for nothing, and whether it is whole.
func seqOf(key string, value []byte) (int64, bool) {
	if value == nil {
		return 0, true
	}
	parts := strings.SplitN(string(value[:min(len(value), 200)]), "|", 4)
	if len(parts) != 4 || parts[0] != key {
		return 0, false
	}
	seq, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return 0, false
	}
	return seq, string(value) == string(payload(key, seq, len(value)))
}
