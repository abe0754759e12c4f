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

// leaseFor is how long the workers of the kill loop lease messages for.
const leaseFor = time.Second

// worker leases messages and deals with them as its dice say.
type worker struct {
	name  string
	rng   *rand.Rand
	depot *depot
	storm *storm
}

func newWorker(name string, n int, seed uint64, d *depot, st *storm) *worker {
	return &worker{name: name, rng: rand.New(rand.NewPCG(seed, 200+uint64(n))), depot: d, storm: st}
}

// verb says what to do with a message.
func (w *worker) verb() settlement {
	switch n := w.rng.IntN(100); {
	case n < 75:
		return ack
	case n < 90:
		return nack
	case n < 94:
		return reject
	}
	return forget
}

// natively works through the Go client.
func (w *worker) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		asked := nowMs()
		list, err := client.Queue.LeaseBatch(leasedQueue, 1+w.rng.IntN(8), flin.For(leaseFor), flin.Wait(time.Duration(w.rng.IntN(500))*time.Millisecond))
		if err != nil {
			if !expected(err) && !errors.Is(err, flin.ErrEmpty) {
				w.storm.fail("%s: lease: %v", w.name, err)
			}
			continue
		}
		got := nowMs()
		held := make([]*handover, len(list))
		for i, m := range list {
			held[i] = &handover{asked: asked, got: got, attempt: m.Attempt, until: m.LeasedUntil.UnixMilli()}
			w.depot.came(leasedQueue, m.Body, held[i])
		}
		if w.rng.IntN(16) == 0 { // one who is too slow
			time.Sleep(leaseFor + 50*time.Millisecond)
		}
		if w.rng.IntN(4) == 0 {
			w.ackAll(client, list, held)
			continue
		}
		for i, m := range list {
			w.settle(m, held[i])
		}
	}
}

// settle deals with one message.
func (w *worker) settle(m *flin.Message, h *handover) {
	if w.rng.IntN(16) == 0 {
		if err := m.Extend(leaseFor); err == nil {
			w.depot.extended(h, m.LeasedUntil.UnixMilli())
		} else if !expected(err) && !errors.Is(err, flin.ErrFenced) {
			w.storm.fail("%s: extend: %v", w.name, err)
		}
	}
	verb := w.verb()
	if verb == forget {
		return
	}
	w.depot.settling(h, verb)
	var err error
	switch verb {
	case ack:
		err = m.Ack()
	case nack:
		opts := []flin.NackOption{flin.Reason("thrown back")}
		if w.rng.IntN(2) == 0 {
			opts = append(opts, flin.Delay(time.Duration(w.rng.IntN(200))*time.Millisecond))
		}
		err = m.Nack(opts...)
	case reject:
		err = m.Reject(flin.Reason("thrown away"))
	case forget:
	}
	w.ended(h, err)
}

// ended notes what came of settling a message.
func (w *worker) ended(h *handover, err error) {
	stale := errors.Is(err, flin.ErrFenced)
	if err != nil && !stale && !expected(err) {
		w.storm.fail("%s: %v: %v", w.name, h.verb, err)
	}
	w.depot.settled(h, fate(err), stale)
}

// ackAll acknowledges messages in one request.
func (w *worker) ackAll(client *flin.Client, list []*flin.Message, held []*handover) {
	for _, h := range held {
		w.depot.settling(h, ack)
	}
	_, err := client.Queue.AckBatch(list)
	if some, ok := errors.AsType[*flin.StaleError](err); ok {
		stale := map[string]bool{}
		for _, m := range some.Messages {
			stale[m.Receipt] = true
		}
		for i, m := range list {
			if stale[m.Receipt] {
				w.ended(held[i], err)
			} else {
				w.ended(held[i], nil)
			}
		}
		return
	}
	for _, h := range held {
		w.ended(h, err)
	}
}

// onPipe works on RESP connections.
func (w *worker) onPipe(ctx context.Context) {
	ms := strconv.FormatInt(leaseFor.Milliseconds(), 10)
	w.storm.onPipe(ctx, func(p *pipe) error {
		asked := nowMs()
		v, err := p.do("Q.LEASE", leasedQueue, "COUNT", "8", "WAIT", "300", "FOR", ms)
		if err != nil {
			return w.refusal(err)
		}
		list, _ := v.([]any)
		got := nowMs()
		var held []*handover
		for _, v := range list {
			m, receipt, attempt, body := leasedReply(v)
			if !m {
				w.storm.fail("%s: Q.LEASE answered %v", w.name, v)
				return nil
			}
			h := &handover{asked: asked, got: got, attempt: attempt, until: asked + leaseFor.Milliseconds()}
			w.depot.came(leasedQueue, body, h)
			verb := w.verb()
			if verb == forget {
				continue
			}
			w.depot.settling(h, verb)
			held = append(held, h)
			switch verb {
			case ack:
				p.send("Q.ACK", leasedQueue, receipt)
			case nack:
				p.send("Q.NACK", leasedQueue, receipt, "ERROR", "thrown back")
			case reject:
				p.send("Q.REJECT", leasedQueue, receipt, "ERROR", "thrown away")
			case forget:
			}
		}
		if err := p.flush(); err != nil {
			return err
		}
		for _, h := range held {
			v, err := p.read()
			if err != nil {
				return err
			}
			e, refused := v.(replyError)
			switch {
			case !refused:
				w.depot.settled(h, done, false)
			case isStale(string(e)):
				w.depot.settled(h, notDone, true)
			default:
				w.depot.settled(h, w.storm.refused(string(e)), false)
			}
		}
		return nil
	})
}

// refusal returns the error if it ends the connection; else it is an answer, which is judged.
func (w *worker) refusal(err error) error {
	if e, ok := errors.AsType[replyError](err); ok {
		_ = w.storm.refused(string(e))
		return nil
	}
	return err
}

// isStale reports whether an error that the server answered says that a receipt is stale.
func isStale(text string) bool {
	return strings.HasPrefix(text, "ERR ") && strings.Contains(text, "stale")
}

// leasedReply reads an element of what Q.LEASE answers: id, receipt, attempt, body, headers.
func leasedReply(v any) (ok bool, receipt string, attempt int, body []byte) {
	list, _ := v.([]any)
	if len(list) < 4 {
		return false, "", 0, nil
	}
	r, ok1 := list[1].([]byte)
	n, ok2 := list[2].(int64)
	body, ok3 := list[3].([]byte)
	return ok1 && ok2 && ok3, string(r), int(n), body
}

// takeNatively takes messages for good. Some of its calls are cancelled while they wait or just before they would have
// been answered.
func (w *worker) takeNatively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(context.Background(), callTimeout)
		if w.rng.IntN(2) == 0 {
			cancel()
			call, cancel = context.WithTimeout(context.Background(), time.Duration(w.rng.IntN(20_000))*time.Microsecond)
		}
		asked := nowMs()
		body, err := client.With(call).Queue.Pop(takenQueue, flin.Wait(300*time.Millisecond))
		cancel()
		switch {
		case err == nil:
			w.depot.came(takenQueue, body, &handover{asked: asked, got: nowMs(), taken: true})
		case errors.Is(err, flin.ErrEmpty), errors.Is(err, flin.ErrCanceled):
		case errors.Is(err, flin.ErrOutcomeUnknown):
			w.depot.lostTake()
		case !expected(err):
			w.storm.fail("%s: pop: %v", w.name, err)
		}
	}
}

// takeOnPipe takes messages for good on RESP connections, several in one write.
func (w *worker) takeOnPipe(ctx context.Context) {
	w.storm.onPipe(ctx, func(p *pipe) error {
		asked, n := nowMs(), 1+w.rng.IntN(8)
		for range n {
			p.send("Q.POP", takenQueue)
		}
		lost := p.flush()
		found := false
		for range n {
			var v any
			if lost == nil {
				v, lost = p.read()
			}
			if lost != nil {
				w.depot.lostTake()
				continue
			}
			switch v := v.(type) {
			case nil:
			case []byte:
				found = true
				w.depot.came(takenQueue, v, &handover{asked: asked, got: nowMs(), taken: true})
			case replyError:
				if w.storm.refused(string(v)) == unknown {
					w.depot.lostTake()
				}
			default:
				w.storm.fail("%s: Q.POP answered %v", w.name, v)
			}
		}
		if lost == nil && !found {
			_, lost = p.do("Q.LEN", takenQueue) // takes its time while there is nothing to do
			time.Sleep(time.Millisecond)
		}
		if e, ok := errors.AsType[replyError](lost); ok {
			return w.refusal(e)
		}
		return lost
	})
}
