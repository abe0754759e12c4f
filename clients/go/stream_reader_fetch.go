package flin

import (
	"errors"
	"slices"
	"sync"
	"time"
)

// run is the background: it consumes ahead, and commits, until the reader is closed or cannot go on.
func (r *Reader) run() {
	defer close(r.ended)
	var commits sync.WaitGroup
	defer commits.Wait()
	if r.every > 0 {
		commits.Go(r.commitAgain)
	}
	for try := 0; r.await(); {
		err := r.consume()
		switch {
		case err == nil:
			try = 0
			continue
		case r.ctx.Err() != nil:
			return
		case errors.Is(err, ErrFenced):
			r.hear(Assignment{}, err)
			continue
		case passing(err) && r.stream.client.rest(try):
			try++
			continue
		}
		r.fail(err)
		return
	}
}

// fail notes why the reader cannot go on.
func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
	r.notify()
}

// await returns when there is room for another answer; false: the reader is closed.
func (r *Reader) await() bool {
	for {
		r.mu.Lock()
		room, changed := len(r.answers) < readerAhead || r.fenced, r.changed
		r.mu.Unlock()
		if r.ctx.Err() != nil {
			return false
		}
		if room {
			return true
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
		}
	}
}

// consume reads one answer ahead, and joins first if need be.
func (r *Reader) consume() error {
	r.mu.Lock()
	fenced := r.fenced
	r.mu.Unlock()
	if fenced {
		a, err := r.stream.subscribe(&r.member, r.key, r.hear)
		if err != nil {
			return err
		}
		r.own(a)
	}
	list, c, err := r.stream.consume(&r.fetch, r.key)
	if err != nil {
		return err
	}
	r.mu.Lock()
	news := c.generation > r.generation
	r.mu.Unlock()
	if news {
		a, err := r.stream.Assignment(r.topic, r.key.group, r.key.consumer)
		if err != nil && !passing(err) {
			return err
		}
		if err == nil {
			r.hear(a, nil)
		}
	}
	r.add(list, c)
	return nil
}

// add takes in what was read ahead.
func (r *Reader) add(list []Record, c consumed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range c.spans {
		p := r.parts[s.partition]
		if p == nil && c.generation > r.generation { // it could not be asked what is owned, but this is
			p = &reading{}
			r.parts[s.partition] = p
		}
		if p == nil {
			continue
		}
		if !p.begun || p.next != s.from { // it begins anew: the group's offset was moved, or it came back from another member
			r.drop(func(one *Record) bool { return one.Partition == s.partition })
			r.handed = slices.DeleteFunc(r.handed, func(at Position) bool { return at.Partition == s.partition })
			*p = reading{begun: true, done: s.from, committed: s.from}
		}
		p.next = s.to
	}
	list = slices.DeleteFunc(list, func(one Record) bool { return r.parts[one.Partition] == nil })
	if len(list) == 0 || r.fenced {
		return
	}
	if len(r.ahead) == 0 {
		r.ahead = list
	} else {
		r.ahead = append(r.ahead, list...)
	}
	r.answers = append(r.answers, len(list))
	r.notify()
}

// hear learns what the reader owns, or that it is no member any more.
func (r *Reader) hear(a Assignment, err error) {
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if a.Generation > r.generation {
			r.assign(a)
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fenced = true
	r.assign(Assignment{Generation: r.generation})
}

// own takes over what a member has that has just joined: it begins where its group's offsets are.
func (r *Reader) own(a Assignment) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.assign(Assignment{})
	r.fenced = false
	r.assign(a)
}

// assign takes over what the reader owns. It is called with mu held, as is all below.
func (r *Reader) assign(a Assignment) {
	r.generation = a.Generation
	for p := range r.parts {
		if !slices.Contains(a.Partitions, p) {
			delete(r.parts, p)
		}
	}
	for _, p := range a.Partitions {
		if r.parts[p] == nil {
			r.parts[p] = &reading{}
		}
	}
	r.drop(func(one *Record) bool { return r.parts[one.Partition] == nil })
	r.notify()
}

// drop takes records that are not to be handed out out of what was read ahead.
func (r *Reader) drop(which func(*Record) bool) {
	if len(r.ahead) == 0 {
		return
	}
	kept, answers, at := make([]Record, 0, len(r.ahead)), r.answers[:0], 0
	for _, n := range r.answers {
		before := len(kept)
		for i := range n {
			if one := &r.ahead[at+i]; !which(one) {
				kept = append(kept, *one)
			}
		}
		at += n
		if n = len(kept) - before; n > 0 {
			answers = append(answers, n)
		}
	}
	r.ahead, r.answers = kept, answers
}

// commitAgain commits from time to time.
func (r *Reader) commitAgain() {
	t := time.NewTicker(r.every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			_ = r.commitDone(r.stream) // what goes wrong is tried again
		case <-r.ctx.Done():
			return
		}
	}
}
