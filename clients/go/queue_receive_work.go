package flin

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

const (
	giveBackTime  = 5 * time.Second // for all messages that are given back together
	giveBackCalls = 64              // at a time
)

// work begins one message after the other until none waits.
func (r *receiver) work(handlers context.Context) {
	ended := false
	defer func() {
		if !ended { // a handler has ended the goroutine
			r.workers.Go(func() { r.work(handlers) })
		}
	}()
	for {
		l, ok := r.buffer.next(time.Now(), over(r.leaser.client.ctx))
		if !ok {
			break
		}
		r.handle(handlers, l)
	}
	ended = true
}

// handle runs the handler for one message and sees to what becomes of it.
func (r *receiver) handle(parent context.Context, l leased) {
	m := l.m
	m.queue = r.settler
	ctx, cancel := context.WithCancelCause(parent)
	k := r.keep(m, cancel)
	k.since(l.at)
	begun := time.Now()
	ended := errors.New("the handler ended its goroutine")
	defer func() { // also when the handler calls runtime.Goexit
		k.stop()
		cancel(nil)
		r.buffer.took(time.Since(begun))
		if ended == nil {
			r.done <- handled{m, k.until}
		} else {
			r.settle(m, k.until, ended)
		}
	}()
	ended = r.call(ctx, m)
}

// since corrects a keeper that has just begun by when the lease has.
func (k *keeper) since(at time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	waited := k.until.Sub(at) - k.r.lease
	if waited < k.r.lease/32 || !k.timer.Stop() { // a trifle, or it is extended by now
		return
	}
	k.until = at.Add(k.r.lease)
	k.timer.Reset(k.r.lease/3 - waited)
}

// call runs the handler and makes an error of its panic.
func (r *receiver) call(ctx context.Context, m *Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the handler panicked: %v", p)
			r.report(m, fmt.Errorf("flin: %w\n%s", err, debug.Stack()))
		}
	}()
	return r.handler(ctx, m)
}

// giveBack gives messages back that were leased and are not begun.
func (r *receiver) giveBack(messages []*Message, why string) {
	ctx, cancel := context.WithTimeout(r.settler.client.ctx, giveBackTime)
	defer cancel()
	client := r.settler.client.With(ctx)
	each := make(chan *Message)
	var all sync.WaitGroup
	for range min(len(messages), giveBackCalls) {
		all.Go(func() {
			for m := range each {
				m.queue = client.Queue
				if err := m.Nack(Reason(why)); err != nil {
					r.report(m, err) // it comes back when its lease ends
				}
			}
		})
	}
	for _, m := range messages {
		each <- m
	}
	close(each)
	all.Wait()
}
