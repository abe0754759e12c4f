// Package slow notices requests that take long: it counts them and tells which they were.
package slow

import (
	"context"
	"math"
	"net"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	// perSecond is how many slow requests are told of in a second: where everything is slow, a few say what there is to say.
	perSecond = 20
	// The late clock goes in steps between these. What is slow within four of the shortest is judged by the real clock alone.
	minStep, maxStep = 10 * time.Millisecond, 250 * time.Millisecond
)

// Config says what is slow and who wants to know. It is read once.
type Config struct {
	Over   time.Duration // requests that take longer are slow; 0: none is; milliseconds, at most a week of them
	Events *obs.Events   // may be nil
	Log    *zap.Logger   // nil is silence
}

// Watch judges the requests of all connections. A nil Watch finds none of them slow.
//
// Requests pay for no look at the clock: there is one that is late by a step, which Run moves on, and only what takes
// about half of Over by that one is judged by the real one.
type Watch struct {
	cfg    Config
	over   int32         // milliseconds
	nearly int32         // milliseconds by the late clock from which on the real one is asked
	step   time.Duration // of the late clock
	late   atomic.Uint32 // a Moment

	found  chan request // from Done to Run
	untold atomic.Uint64
	total  *prometheus.CounterVec
}

// request is one that was slow.
type request struct {
	mark Mark
	took int32 // milliseconds
	peer net.Addr
}

// Request is the event that tells of a slow request.
type Request struct {
	Operation string `json:"operation"`
	Engine    string `json:"engine"`
	TookMs    int64  `json:"took_ms"`
	Size      uint32 `json:"size"` // bytes of its payload
	Peer      string `json:"peer"`
}

// New returns a Watch, or nil if nothing is slow. Its Run must be running.
func New(cfg Config) *Watch {
	if cfg.Over <= 0 {
		return nil
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	over := min(max(cfg.Over, time.Millisecond), 7*24*time.Hour)
	w := &Watch{
		cfg: cfg, over: int32(over.Milliseconds()), step: min(max(over/8, minStep), maxStep),
		found: make(chan request, perSecond),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flin_slow_requests_total", Help: "Requests that took longer than -slow-request, by engine.",
		}, []string{"engine"}),
	}
	w.nearly = int32((over/2 - 2*w.step).Milliseconds())
	if over < 4*minStep {
		w.nearly = math.MinInt32
	}
	w.late.Store(uint32(At(wire.Clock())))
	return w
}

// Done judges a request to which conn's client is given the last answer. It never blocks.
func (w *Watch) Done(m Mark, conn net.Conn) {
	if w == nil || m.op == 0 || int32(w.late.Load()-uint32(m.since)) < w.nearly {
		return
	}
	w.judge(m, conn)
}

func (w *Watch) judge(m Mark, conn net.Conn) {
	if took := int32(At(wire.Clock()) - m.since); took >= w.over {
		w.find(request{m, took, conn.RemoteAddr()})
	}
}

// Took judges a request of size bytes that somebody else has timed, of a client at peer. It never blocks.
func (w *Watch) Took(op wire.Op, took time.Duration, size int, peer net.Addr) {
	if m := MarkOf(op, 0, size); w != nil && m.op != 0 && took >= time.Duration(w.over)*time.Millisecond {
		w.find(request{m, int32(min(took.Milliseconds(), math.MaxInt32)), peer})
	}
}

func (w *Watch) find(r request) {
	w.total.WithLabelValues(r.mark.op.Engine().String()).Inc()
	select {
	case w.found <- r:
	default:
		w.untold.Add(1)
	}
}

// Run keeps the late clock and tells of slow requests until ctx ends.
func (w *Watch) Run(ctx context.Context) {
	if w == nil {
		return
	}
	t := time.NewTicker(w.step)
	defer t.Stop()
	second, left := time.Now(), perSecond
	for {
		found := w.found
		if left == 0 {
			found = nil // it fills, and what does not fit is counted
		}
		select {
		case <-ctx.Done():
			for range len(w.found) { // nobody else takes from it
				w.tell(<-w.found)
			}
			w.tellRest()
			return
		case now := <-t.C:
			w.late.Store(uint32(At(wire.Clock())))
			if now.Sub(second) >= time.Second {
				second, left = now, perSecond
				w.tellRest()
			}
		case r := <-found:
			w.tell(r)
			left--
		}
	}
}

// tell logs and emits a slow request.
func (w *Watch) tell(r request) {
	op := r.mark.op
	w.cfg.Log.Warn("slow request (-slow-request)", zap.Stringer("operation", op), zap.Stringer("engine", op.Engine()),
		zap.Duration("took", time.Duration(r.took)*time.Millisecond), zap.Uint32("size", r.mark.size), zap.Stringer("peer", r.peer))
	w.cfg.Events.Emit(obs.EventSlow, Request{op.String(), op.Engine().String(), int64(r.took), r.mark.size, r.peer.String()})
}

// tellRest says how many slow requests were not told of.
func (w *Watch) tellRest() {
	if n := w.untold.Swap(0); n > 0 {
		w.cfg.Log.Warn("more slow requests than are told of", zap.Uint64("requests", n))
	}
}

// Collectors returns the watch's metrics.
func (w *Watch) Collectors() []prometheus.Collector {
	if w == nil {
		return nil
	}
	return []prometheus.Collector{w.total}
}
