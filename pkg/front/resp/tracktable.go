package resp

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

const (
	trackShards = 16
	maxTracked  = 1_000_000 // keys times clients; over it a key is said to have changed to make room
)

// trackTable holds which clients have read which keys. A key is one whatever the database, as clients cannot tell.
type trackTable struct {
	seed   maphash.Seed
	size   atomic.Int64
	shards [trackShards]trackShard
}

type trackShard struct {
	mu   sync.Mutex // guards keys
	keys map[string][]tracked
}

// tracked is a client's interest in a key. A change that was made before the client read the key must not end it, and
// one that comes while the read is under way must not be told before the read is answered: the client would take the
// old value for a newer one.
type tracked struct {
	who     *follower
	pending int    // reads under way
	changed uint64 // the revision of the last change meanwhile
	rev     uint64 // what was read is no older than this
}

func (t *trackTable) shard(key string) *trackShard {
	return &t.shards[maphash.String(t.seed, key)%trackShards]
}

// register notes that keys are about to be read. It returns what had to be forgotten to make room, to be told.
func (t *trackTable) register(r *reading) (forgotten map[*follower][]string) {
	for _, key := range r.keys {
		s := t.shard(key)
		s.mu.Lock()
		if s.keys == nil {
			s.keys = make(map[string][]tracked)
		}
		list := s.keys[key]
		i := find(list, r.who)
		if i < 0 {
			i = len(list)
			list = append(list, tracked{who: r.who})
			s.keys[key] = list
			if t.size.Add(1) > maxTracked {
				forgotten = t.evict(s, key, forgotten)
			}
		}
		list[i].pending++
		s.mu.Unlock()
	}
	return forgotten
}

// evict forgets any key of the shard but one that is being read. The shard is locked.
func (t *trackTable) evict(s *trackShard, except string, forgotten map[*follower][]string) map[*follower][]string {
	tries := 0
	for key, list := range s.keys {
		if tries++; tries > 8 {
			break
		}
		if key == except || anyPending(list) {
			continue
		}
		if forgotten == nil {
			forgotten = make(map[*follower][]string)
		}
		for i := range list {
			forgotten[list[i].who] = append(forgotten[list[i].who], key)
		}
		t.size.Add(-int64(len(list)))
		delete(s.keys, key)
		break
	}
	return forgotten
}

// settle notes that the keys of r have been read, as of revision rev (0: not known), and returns those that have
// changed since: the client is to be told, and is no longer in the table for them.
func (t *trackTable) settle(r *reading, rev uint64) (stale []string) {
	for _, key := range r.keys {
		s := t.shard(key)
		s.mu.Lock()
		list := s.keys[key]
		if i := find(list, r.who); i >= 0 {
			e := &list[i]
			e.pending--
			e.rev = max(e.rev, rev)
			if e.pending == 0 && e.changed > e.rev {
				t.drop(s, key, list, i)
				stale = append(stale, key)
			}
		}
		s.mu.Unlock()
	}
	return stale
}

// change notes that a key has changed at revision rev and returns the clients to be told.
func (t *trackTable) change(key []byte, rev uint64, told []*follower) []*follower {
	s := t.shard(string(key))
	s.mu.Lock()
	defer s.mu.Unlock()
	list, ok := s.keys[string(key)]
	if !ok {
		return told
	}
	for i := 0; i < len(list); {
		e := &list[i]
		switch {
		case e.pending > 0:
			e.changed = max(e.changed, rev)
			i++
		case rev <= e.rev:
			i++
		default:
			told = append(told, e.who)
			list = t.drop(s, string(key), list, i)
		}
	}
	return told
}

// drop takes an interest out of the list of its key. The shard is locked.
func (t *trackTable) drop(s *trackShard, key string, list []tracked, i int) []tracked {
	last := len(list) - 1
	list[i] = list[last]
	list[last] = tracked{}
	list = list[:last]
	if last == 0 {
		delete(s.keys, key)
	} else {
		s.keys[key] = list
	}
	t.size.Add(-1)
	return list
}

// flush forgets everything but what is being read, which counts as changed at revision rev.
func (t *trackTable) flush(rev uint64) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		for key, list := range s.keys {
			for j := 0; j < len(list); {
				if list[j].pending > 0 {
					list[j].changed = max(list[j].changed, rev)
					j++
					continue
				}
				list = t.drop(s, key, list, j)
			}
		}
		s.mu.Unlock()
	}
}

func find(list []tracked, who *follower) int {
	for i := range list {
		if list[i].who == who {
			return i
		}
	}
	return -1
}

func anyPending(list []tracked) bool {
	for i := range list {
		if list[i].pending > 0 {
			return true
		}
	}
	return false
}
