package resp

import "sync"

const maxOwn = 256

// ownWrites are the revisions that a client with NOLOOP has written of late, so that it is not told of them. A change
// may be seen before the write is answered: then it waits for the answers that are out.
type ownWrites struct {
	mu     sync.Mutex // guards what follows; never held while a client is told
	revs   [maxOwn]uint64
	next   int
	parked []parkedChange
}

type parkedChange struct {
	key   string
	rev   uint64
	until uint64 // the commands below this number must have been answered
}

// wrote notes a revision as the client's own.
func (o *ownWrites) wrote(rev uint64) {
	o.mu.Lock()
	o.revs[o.next%maxOwn] = rev
	o.next++
	o.mu.Unlock()
}

// judge reports whether a change is to be told now: it is not the client's own, and no answer is out that could say it
// is. One that cannot be judged is kept, if there is room; a client is rather told too much than too little.
func (o *ownWrites) judge(key string, rev, head, tail uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.mine(rev) {
		return false
	}
	if head == tail || len(o.parked) >= maxOwn {
		return true
	}
	o.parked = append(o.parked, parkedChange{key, rev, tail})
	return false
}

// ripe returns the keys of the changes that can be told now that all commands below head have been answered.
func (o *ownWrites) ripe(head uint64) (keys []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.parked[:0]
	for _, p := range o.parked {
		switch {
		case o.mine(p.rev):
		case p.until <= head:
			keys = append(keys, p.key)
		default:
			kept = append(kept, p)
		}
	}
	o.parked = kept
	return keys
}

func (o *ownWrites) mine(rev uint64) bool {
	for _, r := range o.revs {
		if r == rev {
			return rev != 0
		}
	}
	return false
}
