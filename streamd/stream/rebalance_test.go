package stream

import (
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// owns checks what a member owns.
func (c *crowd) owns(name string, want ...int32) {
	c.T.Helper()
	if got := c.owned(name); !slices.Equal(got, want) {
		c.T.Fatalf("%s owns %v, not %v", name, got, want)
	}
}

func TestWhoJoinsGetsItsShareFromWhatIsCommitted(t *testing.T) {
	c := newCrowd(t, 6, wire.AssignSticky)
	c.feedAll(20)
	c.join("a")
	c.owns("a", 0, 1, 2, 3, 4, 5)
	c.consume("a", 100)
	c.commit("a", 0, 4)
	c.join("b")
	c.owns("a", 0, 1, 2)
	c.owns("b", 3, 4, 5)
	if n := c.commit("a"); n != 3 {
		t.Fatalf("a committed %d of the 3 partitions that it has kept", n)
	}
	if n := c.consume("b", 100); n != 40 {
		t.Fatalf("b got %d records: 20 of partition 4 are committed, 3 and 5 come again", n)
	}
	c.join("c")
	c.owns("a", 0, 1)
	c.owns("b", 3, 4)
	c.owns("c", 2, 5)
	c.finish("c", "b", "a")
}

func TestWhatAMemberThatLeavesHasNotCommittedComesToTheOthers(t *testing.T) {
	c := newCrowd(t, 4, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.join("b")
	c.consume("a", 15)
	c.commit("a", 0)
	c.leave("a")
	c.owns("b", 0, 1, 2, 3)
	if n := c.commit("a"); n != 0 {
		t.Fatal("a member that has left could commit")
	}
	if n := c.consume("a", 1); n != 0 {
		t.Fatal("a member that has left got records")
	}
	if n := c.consume("b", 100); n != 30 {
		t.Fatalf("b got %d records: all but the 10 that a has committed", n)
	}
	c.finish("b")
	c.leave("b")
	c.feedAll(3)
	c.join("a")
	if n := c.consume("a", 100); n != 12 {
		t.Fatalf("after all had left a got %d records: the 12 that have come since", n)
	}
	c.finish("a")
}

func TestWhatAMemberThatCrashesHasNotCommittedComesToTheOthers(t *testing.T) {
	c := newCrowd(t, 4, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.join("b")
	c.consume("a", 15)
	c.commit("a", 1)
	c.pass(crowdSession - 1)
	c.owns("a", 0, 1) // it has been silent for a time, but not for too long
	c.beat("b")
	c.pass(1)
	c.owns("b", 0, 1, 2, 3)
	c.beat("a") // Fenced, as all that follows
	c.commit("a", 0)
	c.consume("a", 1)
	if n := c.consume("b", 100); n != 35 {
		t.Fatalf("b got %d records: all but the 5 that a has committed", n)
	}
	c.join("a") // a comes back: it begins where b has committed, and cannot commit what it knew
	c.commit("b")
	c.finish("a", "b")
}

func TestAMemberThatIsAliveButDoesNotConsumeIsRemoved(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.feedAll(10)
	c.join("slow")
	c.join("b")
	c.consume("slow", 5)
	for range crowdPoll/5_000 - 1 {
		c.pass(5_000)
		c.beat("slow", "b")
		c.consume("b", 1)
		c.commit("slow") // is no consume, either
	}
	c.owns("slow", 0)
	c.pass(5_000)
	c.owns("b", 0, 1)
	c.beat("slow")
	c.finish("b")
}

func TestAConsumeThatWaitsKeepsItsMemberAlive(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.join("a")
	c.join("b")
	a := c.actors["a"]
	a.turn++
	m := c.consuming(a, 10)
	m.Wait = 200_000
	waiter := newClient(t, c.world)
	waiter.ask(1, wire.OpStreamConsume, m)
	c.parked(1)
	c.now.Add(2 * crowdPoll)
	a.seen, a.polled = c.now.Load(), c.now.Load()
	c.pass(0)
	c.owns("a", 0, 1)
	c.feed(0, 3)
	resp := waiter.answer(1)
	if _, all := consumed(t, &resp); len(all) != 3 {
		t.Fatalf("the one that waited got %v", all)
	}
	c.pass(crowdSession - 1)
	c.owns("a", 0, 1)
	c.pass(1)
	if len(c.names()) != 0 {
		t.Fatalf("%q are members", c.names())
	}
}

func TestWhoWaitsGetsWhatComesToItWithAPartition(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.join("a")
	c.join("b")
	c.feed(0, 5) // of a, which does not consume
	b := c.actors["b"]
	b.turn++
	m := c.consuming(b, 10)
	m.Wait = 200_000
	waiter := newClient(t, c.world)
	waiter.ask(1, wire.OpStreamConsume, m)
	c.parked(1)
	c.leave("a")
	resp := waiter.answer(1)
	generation, all := consumed(t, &resp)
	if len(all) != 5 || generation != c.generation {
		t.Fatalf("b got %v in generation %d, which is %d", all, generation, c.generation)
	}
}

func TestATopicThatGrowsIsSharedAnewAndNobodyLosesAnything(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.join("b")
	c.join("idle") // there is nothing for it yet
	c.owns("idle")
	c.consume("a", 4)
	c.consume("b", 6)
	before := c.generation
	c.grow(7)
	c.look()
	if c.generation == before {
		t.Fatal("a new partition has an owner in a generation in which it was not there")
	}
	c.owns("a", 0, 2, 3)
	c.owns("b", 1, 4)
	c.owns("idle", 5, 6)
	if n := c.commit("a") + c.commit("b"); n != 2 {
		t.Fatalf("%d of 2 commits in partitions that were kept", n)
	}
	c.feedAll(5)
	c.finish("idle", "a", "b")
}

func TestACommitOfAnOldGenerationCountsForAllItsPartitionsOrForNone(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.consume("a", 20)
	old := c.actors["a"].marks[0].generation
	c.join("b") // gets partition 1
	both := []wire.StreamCommitted{{Partition: 0, Offset: 10}, {Partition: 1, Offset: 10}}
	resp := c.Do(wire.OpStreamCommit, c.committing("a", old, both...), 0)
	c.fenced(&resp, "a commit of a partition that is kept and one that is lost")
	resp = c.Do(wire.OpStreamCommit, c.committing("", old, both...), 0)
	c.fenced(&resp, "a commit of a generation without a name")
	for _, generation := range []uint64{0, c.generation} {
		resp = c.Do(wire.OpStreamCommit, c.committing("a", generation, both[1]), 0)
		c.fenced(&resp, "a commit of somebody else's partition")
	}
	resp = c.Do(wire.OpStreamCommit, c.committing("a", c.generation+1, both[0]), 0)
	c.fenced(&resp, "a commit of a generation that is not yet")
	c.look() // nothing is committed
	if n := c.commit("a"); n != 1 {
		t.Fatalf("a committed %d partitions", n)
	}
	c.finish("b", "a")
}

func TestAResetMovesWhoConsumesAndFencesWhatItHolds(t *testing.T) {
	c := newCrowd(t, 2, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.consume("a", 20)
	c.commit("a", 1)
	c.reset(0, 4)
	if n := c.commit("a", 0); n != 0 {
		t.Fatal("what was consumed before a reset could be committed")
	}
	if n := c.consume("a", 100); n != 6 {
		t.Fatalf("after a reset to 4 came %d records, not 6", n)
	}
	c.finish("a")
}

func TestAMemberThatSubscribesAgainBeginsAtWhatIsCommittedAndKeepsItsPartitions(t *testing.T) {
	c := newCrowd(t, 4, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.join("b")
	c.consume("a", 14)
	c.commit("a", 0)
	before := c.generation
	c.join("a")
	if c.generation != before {
		t.Fatalf("generation %d, after %d", c.generation, before)
	}
	c.owns("a", 0, 1)
	if n := c.consume("a", 100); n != 10 {
		t.Fatalf("a got %d records: the 10 of partition 1 again", n)
	}
	c.finish("a", "b")
}

func TestAnAnswerThatWasLostComesAgain(t *testing.T) {
	c := newCrowd(t, 3, wire.AssignSticky)
	c.feedAll(10)
	c.join("a")
	c.consume("a", 7)
	if n := c.lose("a", 12); n != 12 {
		t.Fatalf("%d records came again", n)
	}
	c.finish("a")
}
