package flin

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// run is the background: it consumes ahead, and commits, until the reader is closed or cannot go on.
func (r *Reader) run() {
	defer close(r.ended)
	var commits sync.WaitGroup
	defer commits.Wait()
	if r.every > 0 {
		commits.Go(r.commitAgain)
	}
	for try := 0; ; {
		full, more := r.await()
		if !more {
			return
		}
		began := time.Now()
		n, err := r.consume(full)
		fenced := errors.Is(err, ErrFenced)
		switch {
		case err == nil && (n > 0 || full || time.Since(began) > readerWait/2):
			try = 0
			continue
		case r.ctx.Err() != nil:
			return
		case fenced:
			r.hear(Assignment{}, err)
		case err != nil && !passing(err):
			r.fail(err)
			return
		}
		if !fenced || try > 0 { // who was taken for dead once joins at once
			r.stream.client.rest(try)
		}
		try++
	}
}

// fail notes why the reader cannot go on.
func (r *Reader) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = err
	r.notify()
}

// await returns when there is room for another answer; or when there is none, but a consume has to show that the program reads on,
// however slowly: full. Without more the reader is closed.
func (r *Reader) await() (full, more bool) {
	for {
		r.mu.Lock()
		room, taken, changed := len(r.answers) < readerAhead || r.fenced, r.taken, r.changed
		r.mu.Unlock()
		if r.ctx.Err() != nil {
			return false, false
		}
		if room {
			return false, true
		}
		var due <-chan time.Time
		if taken {
			due = time.After(time.Until(r.polled.Add(r.poll() / 3)))
		}
		select {
		case <-changed:
		case <-due:
			return true, true
		case <-r.ctx.Done():
		}
	}
}

// poll is after how long without a consume the reader is removed from its group.
func (r *Reader) poll() time.Duration {
	if r.member.Poll == 0 {
		return millisecondsOf(wire.DefaultPoll)
	}
	return millisecondsOf(r.member.Poll)
}

// consume reads one answer ahead, and joins first if need be. Where there is no room for one it is a single record. It returns how many
// have come.
func (r *Reader) consume(full bool) (int, error) {
	r.mu.Lock()
	fenced := r.fenced
	r.mu.Unlock()
	if fenced {
		a, err := r.stream.subscribe(&r.member, r.key, r.hear)
		if err != nil {
			return 0, err
		}
		r.own(a)
	}
	m := r.fetch
	if full {
		m.Count, m.Wait = 1, 0
	}
	list, c, err := r.stream.consume(&m, r.key)
	r.polled = time.Now()
	if err != nil {
		return 0, err
	}
	if full {
		for i := range list {
			list[i].own() // there may come many of them, each with a batch
		}
	}
	r.mu.Lock()
	r.taken = false
	news := c.generation > r.generation
	r.mu.Unlock()
	if news {
		a, err := r.stream.Assignment(r.topic, r.key.group, r.key.consumer)
		if err != nil && !passing(err) {
			return 0, err
		}
		if err == nil {
			r.hear(a, nil)
		}
	}
	r.add(list, c)
	return len(list), nil
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
		overtaken := s.from > p.next && s.from == s.start // by retention: what was read ahead is here still
		if !p.begun || p.next != s.from && !overtaken {   // it begins anew: the group's offset was moved, or it came back from another member
			r.drop(func(one *Record) bool { return one.Partition == s.partition })
			r.forget(s.partition)
			p = &reading{begun: true, out: s.from, done: s.from, committed: s.from}
			r.parts[s.partition] = p
		}
		p.next = s.to
		p.came(s.from, c.generation)
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
			r.forget(p)
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

// forget forgets what was handed out last of a partition.
func (r *Reader) forget(partition int) {
	r.handed = slices.DeleteFunc(r.handed, func(at Position) bool { return at.Partition == partition })
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
