package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// callTimeout bounds a native call, so that a client that never gives up cannot keep a test from ending.
const callTimeout = 30 * time.Second

// fate says what err means for a command that was sent.
func fate(err error) outcome {
	switch {
	case err == nil:
		return done
	case errors.Is(err, flin.ErrConflict), errors.Is(err, flin.ErrUnavailable), errors.Is(err, flin.ErrTimeout),
		errors.Is(err, flin.ErrBusy), errors.Is(err, flin.ErrNotLeader), errors.Is(err, flin.ErrFull):
		return notDone
	}
	return unknown
}

// expected reports whether err is what a server that is killed now and then may cause.
func expected(err error) bool {
	for _, e := range []error{
		flin.ErrUnavailable, flin.ErrTimeout, flin.ErrNotLeader, flin.ErrOutcomeUnknown, context.DeadlineExceeded,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// nativeWriter writes through the Go client, one call at a time; many of them share one client.
type nativeWriter struct {
	*writer
	storm  *storm
	client *flin.Client
}

func (w *nativeWriter) run(ctx context.Context) {
	for ctx.Err() == nil {
		settled := again(ctx, func() error {
			found, err := readNatively(w.client, w.db, w.ledger.keys())
			if err != nil {
				return err
			}
			if err := w.ledger.settle(found); err != nil {
				w.storm.fail("%s: %v", w.name, err)
			}
			return nil
		})
		if !settled {
			return
		}
		for range 500 { // then all keys are looked at once more
			if ctx.Err() != nil {
				return
			}
			in := w.next()
			w.ledger.sent(in.change)
			err := in.ask(w.client, w.db)
			if err != nil && !expected(err) {
				w.storm.fail("%s: %s: %v", w.name, in.keys[0], err)
			}
			if o := fate(err); o == done {
				w.ledger.answered()
			} else if o == notDone {
				w.ledger.refused()
			} else {
				break
			}
		}
	}
}

// ask makes the native call for the intent.
func (in intent) ask(c *flin.Client, db int) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	kv := c.With(ctx).KV.Database(db)
	key := in.keys[0]
	s := in.change[key]
	switch in.deed {
	case deedSet:
		if s.ttl != 0 {
			return kv.Set(key, []byte(in.value(key)), flin.TTL(time.Duration(s.ttl)*time.Millisecond))
		}
		return kv.Set(key, []byte(in.value(key)))
	case deedDelete:
		return kv.Delete(key)
	case deedExpire:
		_, err := kv.Expire(key, time.Hour)
		return err
	case deedPersist:
		_, err := kv.Persist(key)
		return err
	case deedSetGroup:
		values := make([][]byte, len(in.keys))
		for i, k := range in.keys {
			values[i] = []byte(in.value(k))
		}
		return kv.MSet(in.keys, values)
	case deedSetMulti:
		txn := kv.Txn()
		for _, k := range in.keys {
			txn.Set(k, []byte(in.value(k)))
		}
		results, err := txn.Commit()
		for _, r := range results {
			err = errors.Join(err, r.Err)
		}
		return err
	case deedDeleteGroup:
		_, err := kv.MDelete(in.keys)
		return err
	case deedRename: // the native client has none: it is a transaction
		to := in.change[in.keys[1]]
		_, err := kv.Txn().Set(in.keys[1], payload(to.of, to.seq, to.size)).Delete(key).Commit()
		return err
	case deedFlush:
		return kv.Flush()
	}
	return fmt.Errorf("unknown deed %d", in.deed)
}

// readNatively reads keys of a database with their expiries.
func readNatively(c *flin.Client, db int, keys []string) (map[string]observed, error) {
	found := make(map[string]observed, len(keys))
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	for _, k := range keys {
		o := observed{before: time.Now().UnixMilli()}
		e, err := c.With(ctx).KV.Database(db).Entry(k)
		switch {
		case errors.Is(err, flin.ErrNotFound):
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", k, err)
		default:
			if o.value = e.Value; o.value == nil {
				o.value = []byte{}
			}
			if !e.Expires.IsZero() {
				o.expires = e.Expires.UnixMilli()
			}
		}
		o.after = time.Now().UnixMilli()
		found[k] = o
	}
	return found, nil
}

// countNatively adds to the counters.
func (st *storm) countNatively(ctx context.Context, c *flin.Client, by string, seed uint64, counters []*tally) {
	rng := rand.New(rand.NewPCG(seed, 4))
	for ctx.Err() == nil {
		t := counters[rng.IntN(len(counters))]
		t.begin()
		v, err := c.KV.Incr(t.key)
		if err != nil && !expected(err) {
			st.fail("%s: %v", by, err)
		}
		t.end(fate(err), v)
	}
}

// chainNatively moves the chains on by version.
func (st *storm) chainNatively(ctx context.Context, c *flin.Client, by string, seed uint64, chains []*chain) {
	rng := rand.New(rand.NewPCG(seed, 5))
	for ctx.Err() == nil {
		ch := chains[rng.IntN(len(chains))]
		now, err := c.KV.Entry(ch.key)
		if err != nil && !errors.Is(err, flin.ErrNotFound) {
			if !expected(err) {
				st.fail("%s: %v", by, err)
			}
			continue
		}
		value := ch.begin(by, string(now.Value))
		e, err := c.KV.Put(ch.key, []byte(value), flin.IfVersion(now.Version))
		if err != nil && !expected(err) && !errors.Is(err, flin.ErrConflict) {
			st.fail("%s: %v", by, err)
		}
		ch.end(value, fate(err), e.Version)
	}
}
