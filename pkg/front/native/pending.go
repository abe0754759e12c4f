package native

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/front/slow"
)

// pending holds the requests of a connection that have not had their last answer. Its tags are what the engine sees: the
// place in the table and a count of how often the place was used, so that an answer too many meets no other request.
type pending struct {
	mu     sync.Mutex // guards all; never held across other calls
	places []place
	free   []uint32
	open   int // streams
}

type place struct {
	client uint64 // the client's tag
	use    uint32
	busy   bool
	stream bool
	waits  bool // it may take long
	mark   slow.Mark
}

// add makes a place for the client's request and returns its tag.
func (p *pending) add(client uint64, stream bool, mark slow.Mark) uint64 {
	p.mu.Lock()
	var i uint32
	if n := len(p.free); n > 0 {
		i = p.free[n-1]
		p.free = p.free[:n-1]
	} else {
		i = uint32(len(p.places))
		p.places = append(p.places, place{})
	}
	at := &p.places[i]
	at.client, at.busy, at.stream, at.waits, at.mark = client, true, stream, false, mark
	at.use++
	tag := uint64(at.use)<<32 | uint64(i)
	if stream {
		p.open++
	}
	p.mu.Unlock()
	return tag
}

// mayWait notes that a request, which has just been added, may take long.
func (p *pending) mayWait(tag uint64) {
	p.mu.Lock()
	p.places[uint32(tag)].waits = true
	p.mu.Unlock()
}

// answer returns what is known of a request, and frees its place with its last answer. It is not ok if the request has had
// its last answer.
func (p *pending) answer(tag uint64, last bool) (found place, ok bool) {
	p.mu.Lock()
	i := uint32(tag)
	if int(i) < len(p.places) {
		if at := &p.places[i]; at.busy && at.use == uint32(tag>>32) {
			found, ok = *at, true
			if last {
				at.busy = false
				p.free = append(p.free, i)
				if found.stream {
					p.open--
				}
			}
		}
	}
	p.mu.Unlock()
	return found, ok
}

// find returns the tag of the client's request. It looks at all of them: cancels and credits are rare, and places few.
func (p *pending) find(client uint64) (tag uint64, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.places {
		if at := &p.places[i]; at.busy && at.client == client {
			return uint64(at.use)<<32 | uint64(i), true
		}
	}
	return 0, false
}

// all returns the tags of all requests.
func (p *pending) all() []uint64 { return p.tags(false) }

// waiting returns the tags of those that may take long.
func (p *pending) waiting() []uint64 { return p.tags(true) }

func (p *pending) tags(onlyWaiting bool) []uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var tags []uint64
	for i := range p.places {
		if at := &p.places[i]; at.busy && (at.waits || !onlyWaiting) {
			tags = append(tags, uint64(at.use)<<32|uint64(i))
		}
	}
	return tags
}

// streams returns the number of open streams.
func (p *pending) streams() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}
