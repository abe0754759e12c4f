package flin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestStaleReceiptsOfABatchAreNamed(t *testing.T) {
	f := newFake(t)
	q := connect(t, f.addr()).Queue
	resp := delivered("a", "b", "c")
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		fc.answer(req.Tag, resp)
		return true
	})
	ms, err := q.LeaseBatch("jobs", 3)
	must(t, err)
	resp = wire.Response{Num: 2, Body: []byte{byte(wire.OK), byte(wire.Fenced), byte(wire.OK)}}
	n, err := q.AckBatch(ms)
	var stale *StaleError
	if n != 2 || !errors.Is(err, ErrFenced) || !errors.As(err, &stale) || len(stale.Messages) != 1 || stale.Messages[0] != ms[1] ||
		!strings.Contains(err.Error(), "1 of 3") || !strings.Contains(err.Error(), "18-5") {
		t.Errorf("%d %v", n, err)
	}
	resp = wire.Failf(wire.Fenced, "stale")
	if n, err := q.AckBatch(ms[:1]); n != 0 || !errors.Is(err, ErrFenced) || !errors.As(err, &stale) {
		t.Errorf("%d %v", n, err)
	}
	if err := ms[0].Ack(); !errors.Is(err, ErrFenced) {
		t.Error(err)
	}
	ms[1].Queue = "other"
	if _, err := q.AckBatch(ms); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "other") {
		t.Error(err)
	}
	if n, err := q.AckBatch(nil); n != 0 || err != nil {
		t.Error(n, err)
	}
}

func TestWhatTheClientRefusesItself(t *testing.T) {
	q := connect(t, newFake(t).addr()).Queue
	if _, err := q.PushBatch("jobs", make([][]byte, wire.MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if _, err := q.PopBatch("jobs", wire.MaxBatch+1); !errors.Is(err, ErrTooLarge) {
		t.Error(err)
	}
	if ids, err := q.PushBatch("jobs", nil); ids != nil || err != nil {
		t.Error(ids, err)
	}
	if _, err := q.Leased("jobs", "no receipt"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if _, err := q.GetMessage("jobs", "x"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := q.RemoveMessage("jobs", "0"); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	if err := new(Message).Nack(); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

func TestAnAnswerOfAQueueThatCannotBeReadIsSaidToBe(t *testing.T) {
	f := newFake(t)
	q := connect(t, f.addr()).Queue
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		fc.answer(req.Tag, wire.Response{Num: 1 << 40, Body: []byte{1, 2, 3}})
		return true
	})
	for name, call := range map[string]func() error{
		"put":   func() error { _, err := q.Put("jobs", nil); return err },
		"pop":   func() error { _, err := q.Pop("jobs"); return err },
		"batch": func() error { _, err := q.PopBatch("jobs", 5); return err },
		"lease": func() error { _, err := q.Lease("jobs"); return err },
		"get":   func() error { _, err := q.GetMessage("jobs", "1"); return err },
		"info":  func() error { _, err := q.Info("jobs"); return err },
		"list": func() error {
			for _, err := range q.List("") {
				return err
			}
			return nil
		},
	} {
		if err := call(); !errors.Is(err, ErrInternal) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestListGoesFromPageToPage(t *testing.T) {
	f := newFake(t)
	var asked []string
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		var m wire.QueueList
		if err := m.Decode(req.Body); err != nil {
			t.Error(err)
		}
		asked = append(asked, string(m.After)+"/"+string(m.Match))
		resp := wire.Response{}
		for _, n := range map[string][]string{"": {"a", "b"}, "b": {"c"}}[string(m.After)] {
			one := wire.QueueInfo{Name: []byte(n)}
			resp.Body = one.Append(resp.Body)
		}
		if len(m.After) == 0 {
			resp.Num = 1
		}
		fc.answer(req.Tag, resp)
		return true
	})
	q := connect(t, f.addr()).Queue
	var got string
	for info, err := range q.List("?") {
		must(t, err)
		got += info.Name
	}
	if got != "abc" || fmt.Sprint(asked) != "[/? b/?]" {
		t.Errorf("%s %v", got, asked)
	}
	for range q.List("") {
		break
	}
}

func TestAWaitIsAddedToTheTimeOfACall(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr(), func(o *Options) { o.Timeout = 10 * time.Second })
	left := make(chan time.Duration, 1)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		left <- time.Duration(req.Deadline - wire.Clock())
		fc.answer(req.Tag, wire.Response{Code: wire.Empty})
		return true
	})
	if _, err := c.Queue.Pop("jobs", Wait(time.Minute)); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	if got := <-left; got < 65*time.Second || got > 71*time.Second {
		t.Errorf("%v", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := c.With(ctx).Queue.Lease("jobs", Wait(time.Minute)); !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	if got := <-left; got > 21*time.Second {
		t.Errorf("with a deadline %v", got)
	}
}

func TestOnlyAPushWithADedupIDIsRepeatedWhenItsAnswerIsLost(t *testing.T) {
	f := newFake(t)
	q := connect(t, f.addr()).Queue
	lose := func() {
		var n atomic.Int64
		f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
			if n.Add(1) == 1 {
				_ = fc.nc.Close()
				return true
			}
			if req.Op == wire.OpQueueExtend {
				fc.answer(req.Tag, wire.Response{Num: 1})
			} else {
				fc.answer(req.Tag, pushed(wire.NewMessageID(0, 7)))
			}
			return true
		})
	}
	lose()
	if err := q.Push("jobs", nil); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("without: %v", err)
	}
	lose()
	if id, err := q.Put("jobs", nil, DedupID("d")); err != nil || id != "7" {
		t.Errorf("with: %v %v", id, err)
	}
	lose()
	if _, err := q.Pop("jobs"); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("pop: %v", err)
	}
	m, err := q.Leased("jobs", someReceipt.String())
	must(t, err)
	lose()
	if err := m.Ack(); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("ack: %v", err)
	}
	lose()
	if err := m.Extend(time.Second); err != nil {
		t.Errorf("extend: %v", err)
	}
}

func TestAPopThatIsWithdrawnTellsWhetherItHasTakenSomething(t *testing.T) {
	f := newFake(t)
	c := connect(t, f.addr())
	for name, tc := range map[string]struct {
		answer wire.Response
		check  func(b []byte, err error) bool
	}{
		"nothing": {wire.Failf(wire.Canceled, "canceled"), func(_ []byte, err error) bool {
			return errors.Is(err, context.Canceled) && errors.Is(err, ErrCanceled) && !errors.Is(err, ErrOutcomeUnknown)
		}},
		"a message": {delivered("b"), func(b []byte, err error) bool { return err == nil && string(b) == "b" }},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var pop uint64
		f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
			if req.Op == wire.OpQueuePop {
				pop = req.Tag
				cancel()
				return true
			}
			fc.answer(pop, tc.answer)
			return true
		})
		if b, err := c.With(ctx).Queue.Pop("jobs", Wait(time.Minute)); !tc.check(b, err) {
			t.Errorf("%s: %q %v", name, b, err)
		}
		cancel()
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.onRequest(func(*fakeConn, *wire.Request) bool {
		cancel()
		return true // says nothing, not even to the cancel
	})
	if _, err := c.With(ctx).Queue.Pop("jobs"); !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("a silent server: %v", err)
	}
}
