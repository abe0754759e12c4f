package flin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func connect(t testing.TB, addr string, change ...func(*Options)) *Client {
	t.Helper()
	opts := DefaultOptions(addr)
	opts.Timeout = 20 * time.Second
	for _, f := range change {
		f(opts)
	}
	c, err := NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheCommonCalls(t *testing.T) {
	c := connect(t, newFake(t).addr())
	must(t, c.KV.Set("k", []byte("v")))
	if v, err := c.KV.Get("k"); err != nil || string(v) != "v" {
		t.Errorf("get: %q %v", v, err)
	}
	if _, err := c.KV.Database(3).Get("k"); !errors.Is(err, ErrNotFound) {
		t.Errorf("another database: %v", err)
	}
	must(t, c.KV.Set("empty", nil))
	if v, err := c.KV.Get("empty"); err != nil || v == nil || len(v) != 0 {
		t.Errorf("an empty value: %v %v", v, err)
	}
	if e, err := c.KV.Put("k", []byte("w")); err != nil || e.Version == 0 || string(e.Value) != "w" {
		t.Errorf("put: %+v %v", e, err)
	}
	if ok, err := c.KV.Exists("k"); err != nil || !ok {
		t.Errorf("exists: %v %v", ok, err)
	}
	must(t, c.KV.Delete("k"))
	if ok, err := c.KV.Exists("k"); err != nil || ok {
		t.Errorf("exists after delete: %v %v", ok, err)
	}
	if n, err := c.KV.IncrBy("n", 5); err != nil || n != 5 {
		t.Errorf("incr: %d %v", n, err)
	}
	if n, err := c.KV.Decr("n"); err != nil || n != 4 {
		t.Errorf("decr: %d %v", n, err)
	}
	must(t, c.KV.MSet([]string{"a", "b"}, [][]byte{[]byte("1"), {}}))
	vs, err := c.KV.MGet([]string{"b", "missing", "a"})
	if err != nil || len(vs) != 3 || vs[0] == nil || len(vs[0]) != 0 || vs[1] != nil || string(vs[2]) != "1" {
		t.Errorf("mget: %q %v", vs, err)
	}
	if n, err := c.KV.MDelete([]string{"a", "missing"}); err != nil || n != 1 {
		t.Errorf("mdel: %d %v", n, err)
	}
	if err := c.KV.MSet([]string{"a"}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("mset of unequal lengths: %v", err)
	}
	if _, err := c.KV.MGet(make([]string, wire.MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("mget of too many: %v", err)
	}
	if err := c.KV.Set("k", make([]byte, 2<<20)); !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), "-max-request") {
		t.Errorf("a value over the server's limit: %v", err)
	}
}

func TestEveryCodeHasItsSentinel(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr(), func(o *Options) { o.Retries = 0 })
	sentinels := []*Error{
		ErrInvalid, ErrNotFound, ErrExists, ErrConflict, ErrTooLarge, ErrNotLeader, ErrUnavailable, ErrBusy, ErrTimeout,
		ErrUnauthorized, ErrWrongType, ErrInternal, ErrUnauthenticated, ErrOutOfRange, ErrCompacted, ErrFenced, ErrOutcomeUnknown,
		ErrFull, ErrEmpty, ErrUnsupported, ErrCanceled, ErrCrossGroup,
	}
	for i, want := range sentinels {
		code := wire.Code(i + 1)
		f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
			fc.answer(req.Tag, wire.Response{Code: code, Sub: 7, Body: []byte("because")})
			return true
		})
		_, err := c.KV.Get("k")
		var said *Error
		if !errors.Is(err, want) || !errors.As(err, &said) || said.Sub != 7 || said.Msg != "because" {
			t.Errorf("%v: %v", code, err)
		}
	}
}

func TestAContextEndsItsCalls(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	asked, canceled := make(chan uint64, 1), make(chan uint64, 1)
	f.onRequest(func(_ *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpCancel {
			asked <- req.Tag
			return true // never answered
		}
		var m wire.Credit
		if err := m.Decode(req.Body); err != nil {
			t.Error(err)
		}
		canceled <- m.Tag
		return true
	})
	for _, read := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		failed := make(chan error)
		go func() {
			if read {
				_, err := c.With(ctx).KV.Get("k")
				failed <- err
			} else {
				failed <- c.With(ctx).KV.Set("k", nil)
			}
		}()
		tag := <-asked
		cancel()
		err := <-failed
		if !errors.Is(err, context.Canceled) || errors.Is(err, ErrCanceled) != read || errors.Is(err, ErrOutcomeUnknown) == read {
			t.Errorf("read %v: %v", read, err)
		}
		if got := <-canceled; got != tag {
			t.Errorf("request %d was withdrawn, not %d", got, tag)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	go func() { <-asked }()
	if _, err := c.With(ctx).KV.Get("k"); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrTimeout) {
		t.Errorf("a deadline: %v", err)
	}
	if err := c.With(ctx).KV.Set("k", nil); !errors.Is(err, ErrTimeout) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("a deadline that had passed before: %v", err)
	}
}

func TestCallsWithoutADeadlineTakeTheirOptionsTimeout(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(*fakeConn, *wire.Request) bool { return true })
	c := connect(t, f.addr(), func(o *Options) { o.Timeout = 50 * time.Millisecond })
	if _, err := c.KV.Get("k"); !errors.Is(err, ErrTimeout) {
		t.Errorf("get: %v", err)
	}
	if err := c.KV.Set("k", nil); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("set: %v", err)
	}
}

func TestAClosedClientSaysSo(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	asked := make(chan struct{})
	f.onRequest(func(*fakeConn, *wire.Request) bool {
		close(asked)
		return true
	})
	failed := make(chan error)
	go func() {
		_, err := c.KV.Get("k")
		failed <- err
	}()
	<-asked
	must(t, c.With(t.Context()).Close()) // does nothing
	must(t, c.Close())
	must(t, c.Close())
	if err := <-failed; !errors.Is(err, ErrClosed) {
		t.Errorf("in flight: %v", err)
	}
	if _, err := c.KV.Get("k"); !errors.Is(err, ErrClosed) {
		t.Errorf("later: %v", err)
	}
}

func TestOptionsAreJudgedAtOnce(t *testing.T) {
	_, err := NewClient(&Options{Retries: -1})
	for _, want := range []string{"Addrs", "Connections", "DialTimeout", "Retries"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if got := DefaultOptions("a, b:1 ,[::1]").Addrs; fmt.Sprint(got) != "[a:7380 b:1 [::1]:7380]" {
		t.Error(got)
	}
	if got := DefaultOptions("").Addrs; fmt.Sprint(got) != "[localhost:7380]" {
		t.Error(got)
	}
}
