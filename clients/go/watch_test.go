package flin

import (
	"context"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// anyWatch is a watch of keys or of documents, as a test sees it.
type anyWatch struct {
	end   func()
	first func(fn func()) // follows it, calls fn with its first change and leaves
}

// serveWatches has a fake begin watches of both kinds, with a change each. It returns where their tags arrive, and those of what is withdrawn.
func serveWatches(t *testing.T, f *fake) (begun, withdrawn chan uint64) {
	t.Helper()
	begun, withdrawn = make(chan uint64, 10), make(chan uint64, 10)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		body := wire.AppendKVEvent(nil, &wire.KVEvent{Kind: wire.EventSet, Rev: 10, Key: []byte("k")})
		switch req.Op {
		case wire.OpDocWatch:
			body = changeEvent(t, 10, 1)
		case wire.OpKVWatch:
		case wire.OpCancel:
			withdrawn <- req.Tag
			return true
		default:
			return req.Op == wire.OpCredit
		}
		begun <- req.Tag
		fc.answer(req.Tag, wire.Response{More: true, Rev: 9})
		fc.answer(req.Tag, wire.Response{More: true, Rev: 10, Body: body})
		return true
	})
	return begun, withdrawn
}

func TestAWatchIsWithdrawnAsSoonAsItEnds(t *testing.T) {
	kinds := map[string]func(ctx context.Context, c *Client) (anyWatch, error){
		"keys": func(ctx context.Context, c *Client) (anyWatch, error) {
			w, err := c.KV.Watch(ctx, "")
			return anyWatch{w.Close, func(fn func()) {
				for range w.Events() {
					fn()
					return
				}
			}}, err
		},
		"documents": func(ctx context.Context, c *Client) (anyWatch, error) {
			w, err := c.DB.Watch(ctx, "users")
			return anyWatch{w.Close, func(fn func()) {
				for range w.Changes() {
					fn()
					return
				}
			}}, err
		},
	}
	ends := map[string]func(w anyWatch, cancel func(), withdrawn func()){
		"by Close":                    func(w anyWatch, _, withdrawn func()) { w.end(); withdrawn() },
		"with its context":            func(_ anyWatch, cancel, withdrawn func()) { cancel(); withdrawn() },
		"by Close in its loop":        func(w anyWatch, _, withdrawn func()) { w.first(func() { w.end(); withdrawn() }) },
		"with its context, in a loop": func(w anyWatch, cancel, withdrawn func()) { w.first(func() { cancel(); withdrawn() }) },
		"with its loop":               func(w anyWatch, _, withdrawn func()) { w.first(func() {}); withdrawn() },
		"by Close, twice":             func(w anyWatch, _, withdrawn func()) { w.end(); w.end(); withdrawn() },
	}
	for kind, watch := range kinds {
		for how, end := range ends {
			t.Run(kind+" "+how, func(t *testing.T) {
				f := newFake(t)
				begun, withdrawn := serveWatches(t, f)
				c := connect(t, f.addr())
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w, err := watch(ctx, c)
				must(t, err)
				tag := <-begun
				end(w, cancel, func() {
					select {
					case got := <-withdrawn:
						if got != tag {
							t.Errorf("%d was withdrawn instead of %d", got, tag)
						}
					case <-time.After(10 * time.Second):
						t.Error("it was not withdrawn")
					}
				})
				w.end()
				must(t, c.KV.Set("k", nil)) // behind what else was withdrawn
				if len(withdrawn) > 0 {
					t.Error("it was withdrawn once more")
				}
			})
		}
	}
}

// A watch may end while it is begun anew: then it is the new one that is withdrawn.
func TestAWatchThatEndsWhileItIsBegunAnewIsWithdrawn(t *testing.T) {
	for range 50 {
		f := newFake(t)
		begun, withdrawn := serveWatches(t, f)
		w, err := connect(t, f.addr()).DB.Watch(t.Context(), "")
		must(t, err)
		<-begun
		done := make(chan struct{})
		go func() {
			defer close(done)
			for _, err := range w.Changes() {
				if err != nil {
					t.Error(err)
				}
			}
		}()
		f.drop()
		tag := <-begun
		w.Close()
		<-done
		select {
		case got := <-withdrawn:
			if got != tag {
				t.Errorf("%d was withdrawn instead of %d", got, tag)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("it was not withdrawn")
		}
	}
}
