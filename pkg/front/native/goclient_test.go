package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
)

func TestTheGoClientIsServed(t *testing.T) {
	e := memkv.New()
	addr := serve(t, e, func(_ *native.Config, l *link.Limits) { l.MaxInFlight = 16 }) // less than there are callers
	opts := flin.DefaultOptions(addr)
	opts.Connections = 2
	c, err := flin.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var all sync.WaitGroup
	for g := range 32 {
		all.Go(func() {
			name, value := fmt.Sprint("key", g), bytes.Repeat([]byte{byte(g)}, g*g*g*5) // up to 150 KB
			for range 20 {
				if err := c.KV.Set(name, value); err != nil {
					t.Error(err)
					return
				}
				if v, err := c.KV.Get(name); err != nil || !bytes.Equal(v, value) {
					t.Errorf("%d bytes, want %d: %v", len(v), len(value), err)
					return
				}
				if _, err := c.KV.Incr("n"); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if n, err := c.KV.IncrBy("n", 0); err != nil || n != 32*20 {
		t.Errorf("%d %v", n, err)
	}
	if _, err := c.KV.Append("k", nil); !errors.Is(err, flin.ErrUnsupported) {
		t.Errorf("what the engine does not know: %v", err)
	}
}

func TestAContextOfTheGoClientReachesTheEngine(t *testing.T) {
	e := memkv.New()
	c, err := flin.NewClient(flin.DefaultOptions(serve(t, e)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := c.With(ctx).KV.RandomKey() // is held
		failed <- err
	}()
	e.Until(func(held, _, _ int) bool { return held == 1 })
	cancel()
	if err := <-failed; !errors.Is(err, flin.ErrCanceled) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	e.Until(func(held, _, _ int) bool { return held == 0 })

	w, err := c.KV.Watch(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	e.Until(func(_, watches, credits int) bool { return watches == 1 && credits > 0 })
	time.AfterFunc(time.Millisecond, w.Close)
	for range w.Events() {
		t.Error("an event")
	}
	e.Until(func(_, watches, _ int) bool { return watches == 0 })
}

func TestAWrongPasswordIsToldToTheGoClient(t *testing.T) {
	addr := serve(t, memkv.New(), func(c *native.Config, _ *link.Limits) {
		c.Password = func(user, password string) bool { return user == "default" && password == "secret" }
	})
	opts := flin.DefaultOptions(addr)
	if _, err := flin.NewClient(opts); !errors.Is(err, flin.ErrUnauthenticated) {
		t.Error(err)
	}
	opts.Password = "secret"
	c, err := flin.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}
