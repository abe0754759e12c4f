package systest

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// maxPoll is how long the members of the kill loop may go without a consume.
const maxPoll = 2 * time.Second

// reading is a member of the group of the kill loop.
type reading struct {
	name   string
	rng    *rand.Rand
	annals *annals
	storm  *storm
}

func newReading(name string, n int, seed uint64, a *annals, st *storm) *reading {
	return &reading{name: name, rng: rand.New(rand.NewPCG(seed, 400+uint64(n))), annals: a, storm: st}
}

// natively consumes and commits through the Go client. Now and then it leaves, forgets to commit, is too slow, or gives up a call.
func (m *reading) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		err := client.Stream.Subscribe(killTopic, killGroup, m.name, flin.SessionTimeout(5*time.Second), flin.MaxPoll(maxPoll))
		if err != nil {
			m.judge("subscribe", err)
			continue
		}
		for ctx.Err() == nil && m.turn(client) {
		}
		if m.rng.IntN(2) == 0 {
			if err := client.Stream.Unsubscribe(killTopic, killGroup, m.name); err != nil {
				m.judge("unsubscribe", err)
			}
		}
	}
}

// turn consumes once; false: it has to subscribe anew.
func (m *reading) turn(client *flin.Client) bool {
	call, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if m.rng.IntN(8) == 0 {
		cancel()
		call, cancel = context.WithTimeout(context.Background(), time.Duration(m.rng.IntN(20_000))*time.Microsecond)
		defer cancel()
	}
	floors := m.annals.asks()
	list, err := client.With(call).Stream.Consume(killTopic, killGroup, m.name, 1+m.rng.IntN(200), flin.Wait(300*time.Millisecond))
	if err != nil {
		return m.judge("consume", err)
	}
	m.annals.came(m.name, list, floors)
	switch n := m.rng.IntN(200); {
	case n == 0:
		time.Sleep(maxPoll + 500*time.Millisecond) // one who is too slow
	case n < 4:
		return false // one who leaves without a commit
	case n < 20:
		return true // a later commit says it too
	}
	ends := endsOf(list)
	if len(ends) == 0 {
		return true
	}
	if err := client.Stream.CommitBatch(killTopic, killGroup, ends); err != nil {
		return m.judge("commit", err)
	}
	m.annals.committed(ends...)
	return true
}

// endsOf returns where the records of each partition end.
func endsOf(list []flin.Record) (ends []flin.Position) {
	for i := range list {
		r := &list[i]
		found := false
		for j := range ends {
			if ends[j].Partition == r.Partition {
				ends[j].Offset, found = r.Offset+1, true
			}
		}
		if !found {
			ends = append(ends, flin.Position{Partition: r.Partition, Offset: r.Offset + 1})
		}
	}
	return ends
}

// judge reports whether a member goes on after an error; a failure that nothing explains fails the test.
func (m *reading) judge(what string, err error) (on bool) {
	switch {
	case errors.Is(err, flin.ErrFenced):
		m.annals.lost()
		return false
	case !expected(err) && !errors.Is(err, flin.ErrCanceled):
		m.storm.fail("%s: %s: %v", m.name, what, err)
		return false
	}
	return true
}

// asReader reads through the client's Reader, which commits by itself. Now and then it closes it and opens another.
func (m *reading) asReader(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		var r *flin.Reader
		opened := again(ctx, func() (err error) {
			r, err = client.Stream.Reader(killTopic, killGroup, flin.ConsumerName(m.name), flin.CommitEvery(50*time.Millisecond), flin.SessionTimeout(5*time.Second))
			if err != nil && !expected(err) {
				m.storm.fail("%s: open: %v", m.name, err)
			}
			return err
		})
		if !opened {
			return
		}
		for left := m.rng.IntN(500); left > 0 && ctx.Err() == nil; left-- {
			call, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
			list, err := r.ReadBatch(call, 1+m.rng.IntN(100))
			cancel()
			if err == nil {
				m.annals.came(m.name, list, nil)
			} else if !m.judge("read", err) {
				break
			}
		}
		if err := r.Close(); err != nil {
			m.judge("close", err)
		}
	}
}

// onPipe consumes on RESP connections. A connection that is lost takes with it what its last S.CONSUME may have handed out: a new
// one subscribes anew.
func (m *reading) onPipe(ctx context.Context) {
	subscribed := map[*pipe]bool{}
	m.storm.onPipe(ctx, func(p *pipe) error {
		if !subscribed[p] {
			clear(subscribed)
			if _, err := p.do("S.SUBSCRIBE", killTopic, killGroup, m.name); err != nil {
				return m.refusal(err)
			}
			subscribed[p] = true
		}
		// As of the generation before, a commit is refused of what came to the member meanwhile, or went and came back.
		v, err := p.do("S.HEARTBEAT", killTopic, killGroup, m.name)
		generation, ok := generationReply(v)
		floors := m.annals.asks()
		if err == nil {
			v, err = p.do("S.CONSUME", killTopic, killGroup, m.name, "COUNT", "100", "WAIT", "300")
		}
		if err != nil {
			if m.refusal(err) == nil {
				clear(subscribed)
				return nil
			}
			return err
		}
		if !ok {
			m.storm.fail("%s: S.HEARTBEAT answered no generation", m.name)
			return nil
		}
		list, ok := recordsReply(v)
		if !ok {
			m.storm.fail("%s: S.CONSUME answered %v", m.name, v)
			return nil
		}
		m.annals.came(m.name, list, floors)
		for _, at := range endsOf(list) {
			_, err := p.do("S.COMMIT", killTopic, killGroup, strconv.Itoa(at.Partition), strconv.FormatInt(at.Offset, 10), "CONSUMER", m.name, "GENERATION", generation)
			switch {
			case err == nil:
				m.annals.committed(at)
			case m.refusal(err) != nil:
				return err
			default:
				clear(subscribed)
			}
		}
		return nil
	})
}

// refusal returns the error if it ends the connection; else it is an answer, which is judged.
func (m *reading) refusal(err error) error {
	e, ok := errors.AsType[replyError](err)
	switch text := string(e); {
	case !ok:
		return err
	case isFenced(text):
		m.annals.lost()
	default:
		_ = m.storm.refused(text)
	}
	return nil
}

// isFenced reports whether an error that the server answered says that a member has lost what it asks for.
func isFenced(text string) bool {
	return strings.HasPrefix(text, "ERR ") && (strings.Contains(text, "subscribe again") || strings.Contains(text, "given away"))
}

// generationReply reads the generation out of what S.SUBSCRIBE and S.HEARTBEAT answer: generation, partitions.
func generationReply(v any) (string, bool) {
	list, _ := v.([]any)
	if len(list) != 2 {
		return "", false
	}
	n, ok := list[0].(int64)
	return strconv.FormatInt(n, 10), ok
}

// recordsReply reads what S.CONSUME and S.FETCH answer: partition, offset, time, key, value, headers of each record.
func recordsReply(v any) (list []flin.Record, ok bool) {
	all, ok := v.([]any)
	if !ok {
		return nil, v == nil
	}
	for _, v := range all {
		one, _ := v.([]any)
		if len(one) < 5 {
			return nil, false
		}
		partition, ok1 := one[0].(int64)
		offset, ok2 := one[1].(int64)
		key, _ := one[3].([]byte)
		value, _ := one[4].([]byte)
		if !ok1 || !ok2 {
			return nil, false
		}
		list = append(list, flin.Record{Partition: int(partition), Offset: offset, Key: key, Value: value})
	}
	return list, true
}
