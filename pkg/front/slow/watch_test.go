package slow

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// watched is a Watch that runs, with what it has logged.
type watched struct {
	*Watch
	logs   *observer.ObservedLogs
	client net.Conn
	t      *testing.T
}

// watch runs test over a Watch, in a time of its own.
func watch(t *testing.T, over time.Duration, test func(w *watched)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.InfoLevel)
		client, other := net.Pipe()
		w := &watched{New(Config{Over: over, Log: zap.New(core)}), logs, client, t}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { w.Run(ctx); close(done) }()
		test(w)
		stop()
		<-done
		_, _ = client.Close(), other.Close()
	})
}

// ask judges a request that takes some time.
func (w *watched) ask(op wire.Op, takes time.Duration) {
	m := MarkOf(op, At(wire.Clock()), 5)
	time.Sleep(takes)
	w.Done(m, w.client)
	synctest.Wait()
}

func (w *watched) counted(engine wire.EngineID) int {
	w.t.Helper()
	var m dto.Metric
	if err := w.total.WithLabelValues(engine.String()).Write(&m); err != nil {
		w.t.Fatal(err)
	}
	return int(m.GetCounter().GetValue())
}

func TestWhatOthersHaveTimedIsJudgedAlike(t *testing.T) {
	watch(t, 40*time.Millisecond, func(w *watched) {
		peer := w.client.RemoteAddr()
		w.Took(wire.OpKVGet, 39*time.Millisecond, 5, peer)
		w.Took(wire.OpQueueLease, time.Hour, 5, peer) // it waits by its nature
		synctest.Wait()
		if w.counted(wire.EngineKV)+w.counted(wire.EngineQueue) != 0 || w.logs.Len() != 0 {
			t.Errorf("of what is not slow %d were told", w.logs.Len())
		}
		w.Took(wire.OpKVGet, 40*time.Millisecond, 5, peer)
		synctest.Wait()
		if w.counted(wire.EngineKV) != 1 || w.logs.Len() != 1 || w.logs.All()[0].ContextMap()["peer"] != peer.String() {
			t.Errorf("of one that is slow %d were counted, and it is told %v", w.counted(wire.EngineKV), w.logs.All())
		}
		(*Watch)(nil).Took(wire.OpKVGet, time.Hour, 5, peer)
	})
}

func TestARequestIsSlowFromTheTimeThatIsConfigured(t *testing.T) {
	for _, over := range []time.Duration{time.Millisecond, 35 * time.Millisecond, 40 * time.Millisecond, 90 * time.Millisecond, time.Second, time.Hour} {
		watch(t, over, func(w *watched) {
			for range 7 { // wherever the late clock is in its step
				w.ask(wire.OpKVGet, over-time.Millisecond)
				time.Sleep(7 * time.Millisecond)
			}
			if n := w.counted(wire.EngineKV); n != 0 || w.logs.Len() != 0 {
				t.Errorf("over %v: %d requests were slow that were not", over, n)
			}
			for range 7 {
				w.ask(wire.OpKVGet, over)
				time.Sleep(7 * time.Millisecond)
			}
			if n := w.counted(wire.EngineKV); n != 7 || w.logs.Len() != 7 {
				t.Errorf("over %v: of 7 slow requests %d were counted, %d logged", over, n, w.logs.Len())
			}
		})
	}
}

func TestASlowRequestIsLoggedWithWhatItWasAndWhoAsked(t *testing.T) {
	watch(t, time.Second, func(w *watched) {
		w.ask(wire.OpQueuePush, 1500*time.Millisecond)
		if w.logs.Len() != 1 {
			t.Fatalf("%d lines", w.logs.Len())
		}
		line := w.logs.All()[0]
		want := map[string]any{"operation": "queue-push", "engine": "queue", "took": 1500 * time.Millisecond, "size": uint32(5), "peer": "pipe"}
		if d := cmp.Diff(want, line.ContextMap()); d != "" || line.Level != zapcore.WarnLevel {
			t.Errorf("%v (-want +got):\n%s", line.Level, d)
		}
	})
}

func TestWhatWaitsOrStreamsIsNotSlow(t *testing.T) {
	watch(t, time.Second, func(w *watched) {
		for _, op := range []wire.Op{
			wire.OpQueuePop, wire.OpQueueLease, wire.OpStreamFetch, wire.OpStreamConsume, wire.OpKVWatch, wire.OpDocWatch,
		} {
			w.ask(op, time.Minute)
		}
		w.Done(Mark{}, w.client) // a reply without a request
		synctest.Wait()
		if w.logs.Len() != 0 {
			t.Errorf("logged %v", w.logs.All())
		}
	})
}

func TestWhereEverythingIsSlowAFewAreToldOfAndTheRestIsCounted(t *testing.T) {
	const rest = 10
	watch(t, time.Second, func(w *watched) {
		m := MarkOf(wire.OpDocFind, At(wire.Clock()), 0)
		time.Sleep(1050 * time.Millisecond) // behind the tick that begins a second
		for range perSecond {
			w.Done(m, w.client)
			synctest.Wait()
		}
		for range perSecond + rest { // as many as wait for the next second, and those for whom there is no room
			w.Done(m, w.client)
			synctest.Wait()
		}
		if n := w.logs.Len(); n != perSecond {
			t.Errorf("%d lines in the first second", n)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := w.logs.Len(); n != 2*perSecond+1 {
			t.Errorf("%d lines after the second one", n)
		}
		more := w.logs.FilterMessage("more slow requests than are told of").All()
		if len(more) != 1 || more[0].ContextMap()["requests"] != uint64(rest) {
			t.Errorf("of the rest it says %v", more)
		}
		if n := w.counted(wire.EngineDoc); n != 2*perSecond+rest {
			t.Errorf("%d were counted", n)
		}
	})
}

func TestWhatIsFoundBeforeTheEndIsToldOf(t *testing.T) {
	w := New(Config{Over: time.Millisecond})
	core, logs := observer.New(zapcore.WarnLevel)
	w.cfg.Log = zap.New(core)
	client, other := net.Pipe()
	defer func() { _, _ = client.Close(), other.Close() }()
	for range perSecond + 3 {
		w.Done(MarkOf(wire.OpKVSet, At(wire.Clock())-2, 0), client)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	w.Run(over)
	if logs.FilterMessageSnippet("slow request (").Len() != perSecond || logs.FilterField(zap.Uint64("requests", 3)).Len() != 1 {
		t.Errorf("told of %v", logs.All())
	}
}

func TestWithoutAWatchNothingIsSlow(t *testing.T) {
	w := New(Config{})
	if w != nil {
		t.Fatal("there is one")
	}
	w.Run(context.Background())
	w.Done(MarkOf(wire.OpKVSet, 0, 0), nil)
	if len(w.Collectors()) != 0 {
		t.Error("it has metrics")
	}
}
