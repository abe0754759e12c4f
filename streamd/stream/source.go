package stream

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// topics knows the topics that have been published to.
type topics struct {
	mu      sync.RWMutex
	all     map[string]*topic
	changed atomic.Bool // a topic was altered or deleted since the table was swept
}

// topic is a topic as those see it who publish to it.
type topic struct {
	id      uint64
	name    []byte
	sources []*source
	// sticky is the partition of records without a key. It is left when its batch is closed.
	sticky atomic.Int32
}

// source is a partition as those see it who publish to it: it makes the batches that they share.
type source struct {
	e         *Engine
	topic     atomic.Pointer[topic] // as it is now: a topic can get more partitions
	partition int32
	gather    gather // of topics with a codec
}

// Begin returns an empty batch.
func (s *source) Begin() replica.Shared { return s.begin() }

func (s *source) begin() *batch {
	b := s.e.batches.Get().(*batch)
	b.src = s
	return b
}

// closed has records without a key go to another partition: the batch that gathered them is closed.
func (s *source) closed() {
	t := s.topic.Load()
	n := len(t.sources)
	if n > 1 && t.sticky.Load() == s.partition {
		t.sticky.Store((s.partition + 1 + rand.Int32N(int32(n-1))) % int32(n))
	}
}

// topic returns what is known of t, which is made if need be.
func (e *Engine) topic(t *fsm.Topic) *topic {
	e.topics.mu.RLock()
	x := e.topics.all[t.Name]
	e.topics.mu.RUnlock()
	if x != nil && x.id == t.ID && len(x.sources) >= t.Partitions {
		return x
	}
	e.topics.mu.Lock()
	defer e.topics.mu.Unlock()
	old := e.topics.all[t.Name]
	if old != nil && old.id == t.ID && len(old.sources) >= t.Partitions {
		return old
	}
	x = &topic{id: t.ID, name: []byte(t.Name), sources: make([]*source, 0, t.Partitions)}
	if old != nil && old.id == t.ID {
		// What is being gathered keeps its order only if a partition has one source.
		x.sources = append(x.sources, old.sources...)
	}
	fresh := make([]source, t.Partitions-len(x.sources))
	for i := range fresh {
		fresh[i].e, fresh[i].partition = e, int32(len(x.sources))
		x.sources = append(x.sources, &fresh[i])
	}
	x.sticky.Store(rand.Int32N(int32(t.Partitions)))
	for _, s := range x.sources {
		s.topic.Store(x)
	}
	e.topics.all[t.Name] = x
	return x
}

// sweepTopics forgets topics that are not there any more.
func (e *Engine) sweepTopics() {
	if !e.topics.changed.Swap(false) {
		return
	}
	e.topics.mu.Lock()
	defer e.topics.mu.Unlock()
	for name, x := range e.topics.all {
		if t, ok := e.machine.Topic(x.name); !ok || t.ID != x.id {
			delete(e.topics.all, name)
		}
	}
}
