package front

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/resp"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// late is an engine that takes its time.
type late struct {
	engine.Engine
	takes time.Duration
}

// Submit implements engine.Engine.
func (e late) Submit(req wire.Request, r engine.Replier) {
	req.Body = bytes.Clone(req.Body)
	time.AfterFunc(e.takes, func() { e.Engine.Submit(req, r) })
}

// listen returns events and a function that waits for the next of them and fills to with it.
func listen(t *testing.T) (events *obs.Events, next func(kind string, to any)) {
	t.Helper()
	events = obs.NewEvents("n1")
	type event struct{ kind, text string }
	heard := make(chan event, 100)
	events.To(func(kind string, text []byte) { heard <- event{kind, string(text)} })
	done := make(chan struct{})
	go func() { _ = events.Run(t.Context()); close(done) }()
	t.Cleanup(func() { <-done })
	return events, func(kind string, to any) {
		t.Helper()
		select {
		case e := <-heard:
			if e.kind != kind {
				t.Fatalf("the event is %s, want %s: %s", e.kind, kind, e.text)
			}
			if err := json.Unmarshal([]byte(e.text), to); err != nil {
				t.Fatalf("%s: %v", e.text, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("no event of kind %s", kind)
		}
	}
}

func TestASlowRequestIsToldOfWhicheverProtocolItCameBy(t *testing.T) {
	const key, value = "a-secret-key", "a-secret-value"
	set := (&wire.KVSet{Key: []byte(key), Value: []byte(value)}).Append(nil)
	ask := map[string]func(t *testing.T, f *running) (peer string){
		"native": func(t *testing.T, f *running) string {
			c := dial(t, f)
			c.say(helloFrame("", "") + frame(wire.OpKVSet, 2, set))
			c.answer()
			if _, resp := c.answer(); resp.Code != wire.OK {
				t.Fatal(resp.Err())
			}
			return c.LocalAddr().String()
		},
		"RESP": func(t *testing.T, f *running) string {
			c := dial(t, f)
			c.say("SET " + key + " " + value + "\r\n")
			if got := c.line(); got != "+OK\r\n" {
				t.Fatal(got)
			}
			return c.LocalAddr().String()
		},
		"HTTP": func(t *testing.T, f *running) string {
			c := dial(t, f)
			c.say("PUT /v1/kv/" + key + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 14\r\n\r\n" + value)
			if got := c.rest(); !strings.HasPrefix(got, "HTTP/1.1 204") {
				t.Fatal(got)
			}
			return c.LocalAddr().String()
		},
	}
	for protocol, ask := range ask {
		t.Run(protocol, func(t *testing.T) {
			events, next := listen(t)
			core, logs := observer.New(zap.DebugLevel)
			e := memkv.New()
			far := late{e, 3 * time.Millisecond}
			f := startOver(t, e, far, func(c *Config) {
				c.Slow = slow.New(slow.Config{Over: time.Millisecond, Events: events, Log: zap.New(core)})
				c.RESP = resp.New(resp.Config{Engine: far, Slow: c.Slow})
			})
			peer := ask(t, f)
			var raw json.RawMessage
			next(obs.EventSlow, &raw)
			if s := string(raw); strings.Contains(s, key) || strings.Contains(s, value) {
				t.Errorf("the event has more than it should: %s", raw)
			}
			var got slow.Request
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if got.Operation != "set" || got.Engine != "kv" || got.TookMs < 1 || got.Size < uint32(len(key+value)) || got.Peer != peer {
				t.Errorf("the event is %s, of %s", raw, peer)
			}
			for _, line := range logs.All() {
				if s, _ := json.Marshal(line.ContextMap()); bytes.Contains(s, []byte("secret")) {
					t.Errorf("the log has more than it should: %s %s", line.Message, s)
				}
			}
			f.stop()
			if logs.Len() != 1 {
				t.Errorf("one request was logged %d times", logs.Len())
			}
		})
	}
}

func TestWhatTheServerDoesNotReadYetIsNotSlow(t *testing.T) {
	for _, p := range []struct {
		name, hello, ask string
		server           func(*Front) Protocol
	}{
		{"native", helloFrame("", ""), frame(wire.OpKVRandom, 1, []byte{0}) + frame(wire.OpKVRandom, 2, []byte{0}), func(f *Front) Protocol { return f.native }},
		{"RESP", "", "RANDOMKEY\r\nRANDOMKEY\r\n", func(f *Front) Protocol { return f.cfg.RESP }},
	} {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.WarnLevel)
				cfg, e := Default(), memkv.New()
				cfg.Slow = slow.New(slow.Config{Over: time.Second, Log: zap.New(core)})
				cfg.RESP = resp.New(resp.Config{Engine: e, Slow: cfg.Slow})
				server := p.server(New(cfg, e, nil))
				client, nc := net.Pipe()
				var all sync.WaitGroup
				all.Go(func() {
					lc := link.New(nc, 1, link.Limits{MaxInput: 1 << 10, MaxOutput: 1 << 20, MaxInFlight: 1})
					server.ServeConn(lc)
					lc.Release()
				})
				all.Go(func() { _, _ = io.Copy(io.Discard, client) })
				ctx, stop := context.WithCancel(t.Context())
				all.Go(func() { cfg.Slow.Run(ctx) })
				if _, err := io.WriteString(client, p.hello+p.ask); err != nil {
					t.Fatal(err)
				}
				for range 2 { // the second request is read once the first has been answered
					synctest.Wait()
					time.Sleep(600 * time.Millisecond)
					if n := e.LetGo(); n != 1 {
						t.Errorf("%d requests were under way, want 1", n)
					}
				}
				synctest.Wait()
				_ = client.Close()
				stop()
				all.Wait()
				if n := logs.Len(); n != 0 {
					t.Errorf("%d requests of 600 ms were slow, one behind the other", n)
				}
			})
		})
	}
}
