package stream

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	crowdTopic   = "t"
	crowdGroup   = "g"
	crowdSession = 10_000 // ms
	crowdPoll    = 30_000 // ms
)

// crowd is a group that consumes a topic, beside a model of what it must do: who is a member, who may commit what, and exactly
// where each member reads on. Time passes only when it is told to.
type crowd struct {
	*world
	assignor   wire.Assignor
	now        atomic.Int64 // ms
	committed  []int64      // by partitions; -1: nothing
	delivered  [][]bool     // by partitions and offsets; as long as the partitions
	actors     map[string]*actor
	generation uint64
	owners     map[slot]string  // all that have ever been seen
	last       map[int32]string // who owned what when it was looked last
}

// slot is a partition in a generation.
type slot struct {
	generation uint64
	partition  int32
}

// actor is a consumer, a member of the group or not.
type actor struct {
	name         string
	member       bool
	seen, polled int64 // when the group has heard of it last, and when it has consumed
	turn         uint64
	positions    map[int32]position
	before       map[int32]position // than its last turn
	marks        map[int32]mark     // what it may commit
}

// mark is how far an actor has come in a partition, by an answer of that generation.
type mark struct {
	offset     int64
	generation uint64
}

func newCrowd(t *testing.T, partitions int, assignor wire.Assignor) *crowd {
	t.Helper()
	c := &crowd{assignor: assignor, actors: make(map[string]*actor), owners: make(map[slot]string), last: make(map[int32]string)}
	c.now.Store(1_000_000)
	c.world = worlds.New(t, func(cfg *Config) {
		cfg.Store.Memory = true
		cfg.clock = c.now.Load
	})
	c.create(crowdTopic, partitions)
	c.extend(partitions)
	return c
}

func (c *crowd) extend(partitions int) {
	for len(c.committed) < partitions {
		c.committed = append(c.committed, -1)
		c.delivered = append(c.delivered, nil)
	}
}

// grow gives the topic more partitions.
func (c *crowd) grow(partitions int) {
	c.T.Helper()
	c.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte(crowdTopic), Partitions: uint64(partitions)})
	c.extend(partitions)
}

// feed publishes n records to a partition. A value says where it is.
func (c *crowd) feed(partition int32, n int) {
	c.T.Helper()
	var vs []string
	for range n {
		vs = append(vs, fmt.Sprint(partition, "/", len(c.delivered[partition])))
		c.delivered[partition] = append(c.delivered[partition], false)
	}
	c.publish(crowdTopic, partition, vs...)
}

func (c *crowd) feedAll(n int) {
	c.T.Helper()
	for p := range c.delivered {
		c.feed(int32(p), n)
	}
}

// names returns those who are members, in order.
func (c *crowd) names() (all []string) {
	for name, a := range c.actors {
		if a.member {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// look asks what the group is like, and checks what holds at any time: no partition has had two owners in one generation, everybody
// who is to be a member is one and owns its share, and what is committed is what was.
func (c *crowd) look() map[int32]wire.GroupPartition {
	c.T.Helper()
	resp := c.Must(wire.OpStreamGroup, &wire.StreamGroupName{Group: []byte(crowdGroup), Topic: []byte(crowdTopic)})
	var info wire.GroupInfo
	if err := info.Decode(resp.Body); err != nil {
		c.T.Fatal(err)
	}
	if info.Generation < c.generation {
		c.T.Fatalf("generation %d after %d", info.Generation, c.generation)
	}
	before := c.generation
	c.generation = info.Generation
	var members []string
	for _, m := range info.Members {
		members = append(members, string(m.Name))
	}
	if want := c.names(); !slices.Equal(members, want) {
		c.T.Fatalf("members are %q, not %q", members, want)
	}
	all := make(map[int32]wire.GroupPartition)
	load := make([]int, len(members))
	for _, p := range info.Partitions {
		all[p.Partition] = p
		if p.Owner == 0 {
			c.last[p.Partition] = ""
			continue
		}
		load[p.Owner-1]++
		owner, s := members[p.Owner-1], slot{info.Generation, p.Partition}
		if other, ok := c.owners[s]; ok && other != owner {
			c.T.Fatalf("partition %d belongs to %s and to %s in generation %d", s.partition, other, owner, s.generation)
		}
		c.owners[s] = owner
		if p.Since > info.Generation || owner != c.last[p.Partition] && p.Since <= before {
			c.T.Fatalf("%s owns partition %d since generation %d: %s did in %d, now it is %d", owner, p.Partition, p.Since, c.last[p.Partition], before, info.Generation)
		}
		c.last[p.Partition] = owner
	}
	for p, want := range c.committed {
		got, ok := all[int32(p)]
		if !ok {
			got.Committed = -1
		}
		if got.Committed != want {
			c.T.Fatalf("%d is committed in partition %d, not %d", got.Committed, p, want)
		}
		if len(members) > 0 && got.Owner == 0 {
			c.T.Fatalf("nobody owns partition %d", p)
		}
	}
	if len(members) > 0 && slices.Max(load)-slices.Min(load) > 1 {
		c.T.Fatalf("%q own %v partitions", members, load)
	}
	return all
}

// owned returns the partitions of a member, in order.
func (c *crowd) owned(name string) (all []int32) {
	c.T.Helper()
	for p, x := range c.look() {
		if x.Owner > 0 && c.names()[x.Owner-1] == name {
			all = append(all, p)
		}
	}
	slices.Sort(all)
	return all
}

// join subscribes, for the first time or again.
func (c *crowd) join(name string) {
	c.T.Helper()
	a := c.actors[name]
	if a == nil {
		a = &actor{name: name}
		c.actors[name] = a
	}
	resp := c.Must(wire.OpStreamSubscribe, &wire.StreamSubscribe{
		Topic: []byte(crowdTopic), Group: []byte(crowdGroup), Consumer: []byte(name),
		Assignor: c.assignor, Session: crowdSession, Poll: crowdPoll,
	})
	*a = actor{name: name, member: true, positions: make(map[int32]position), marks: make(map[int32]mark), seen: c.now.Load(), polled: c.now.Load()}
	c.judge(a, &resp)
	c.sweep() // a member's time begins when the leader has first seen it: within half a second
}

// judge compares what a member was told that it owns with what it does.
func (c *crowd) judge(a *actor, resp *wire.Response) {
	c.T.Helper()
	var told wire.StreamAssignment
	if err := told.Decode(resp.Body); err != nil {
		c.T.Fatal(err)
	}
	if owns := c.owned(a.name); told.Generation != c.generation || !slices.Equal(told.Partitions, owns) {
		c.T.Fatalf("%s was told generation %d and %v; it is %d, and owns %v", a.name, told.Generation, told.Partitions, c.generation, owns)
	}
}

// leave unsubscribes.
func (c *crowd) leave(name string) {
	c.T.Helper()
	resp := c.Must(wire.OpStreamUnsubscribe, c.member(name))
	if a := c.actors[name]; (resp.Num == 1) != a.member {
		c.T.Fatalf("%s has left: %d", name, resp.Num)
	}
	c.actors[name].member = false
	c.look()
}

func (c *crowd) member(name string) *wire.StreamMember {
	return &wire.StreamMember{Topic: []byte(crowdTopic), Group: []byte(crowdGroup), Consumer: []byte(name)}
}

// beat sends a heartbeat.
func (c *crowd) beat(names ...string) {
	c.T.Helper()
	for _, name := range names {
		a := c.actors[name]
		resp := c.Do(wire.OpStreamHeartbeat, c.member(name), 0)
		if !a.member {
			c.fenced(&resp, "a heartbeat of "+name)
			continue
		}
		if err := resp.Err(); err != nil {
			c.T.Fatal(err)
		}
		a.seen = c.now.Load()
		c.judge(a, &resp)
	}
}

func (c *crowd) fenced(resp *wire.Response, what string) {
	c.T.Helper()
	if resp.Code != wire.Fenced {
		c.T.Fatalf("%s was answered %v %s, not Fenced", what, resp.Code, resp.Body)
	}
}

// pass lets time pass, and those go who have been silent for too long.
func (c *crowd) pass(ms int64) {
	c.T.Helper()
	now := c.now.Add(ms)
	for _, a := range c.actors {
		if a.seen+crowdSession <= now || a.polled+crowdPoll <= now {
			a.member = false
		}
	}
	c.sweep()
	c.look()
}

// sweep does what the engine does every half second.
func (c *crowd) sweep() { c.evict(context.Background(), c.Engine.group.Load()) }
