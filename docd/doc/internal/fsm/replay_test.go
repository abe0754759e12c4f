package fsm

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

var replays = machinetest.Replay[*bench]{
	Open:   newBench,
	Player: func(seed uint64) func(*bench, int) []entry { return newPlayer(seed).record },
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	tally(t, replays.Twice(t, machinetest.Runs{Seeds: 3, Entries: 600, Check: 25}))
}

// tally holds the random log against being about nothing.
func tally(t *testing.T, log []entry) {
	done := map[wire.Op]int{}
	outcomes := map[wire.DocOutcome]int{}
	codes := map[uint32]int{}
	for _, e := range log {
		for i, ans := range e.Answers {
			if ans.Code == wire.OK && ans.Num > 0 {
				done[e.Cmds[i].Op]++
			}
			if ans.Code != wire.OK {
				codes[ans.Sub]++
			}
			if e.Cmds[i].Op != wire.OpDocApply || ans.Code != wire.OK {
				continue
			}
			for r := wire.NewReader(ans.Body); r.Len() > 0; {
				o := wire.DocOutcome(r.Byte())
				outcomes[o]++
				if o&wire.DocFailed != 0 {
					e := wire.TakeDocError(&r)
					codes[e.Sub]++
				}
			}
		}
	}
	for _, op := range []wire.Op{
		wire.OpDocApply, wire.OpDocIndex, wire.OpDocDropIndex, wire.OpDocBuild, wire.OpDocExpire, wire.OpDocCollect, wire.OpDocDrop, wire.OpDocCreate,
		wire.OpDocFeed, wire.OpDocTrim,
	} {
		if done[op] == 0 {
			t.Errorf("%v never did anything in the random log", op)
		}
	}
	for _, o := range []wire.DocOutcome{
		0, wire.DocMatched | wire.DocChanged, wire.DocInserted, wire.DocMatched | wire.DocDeleted, wire.DocFailed, wire.DocSkipped,
	} {
		if outcomes[o] == 0 {
			t.Errorf("no write came to %d", o)
		}
	}
	for _, code := range []uint32{11000, 112, 171} {
		if codes[code] == 0 {
			t.Errorf("nothing failed with %d", code)
		}
	}
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	replays.Forgetting(t, machinetest.Runs{Seeds: 4, Entries: 400, Check: 8})
}

func TestALogThatIsFedAgainFromTheLastFlushGivesTheSameStoreAndAnswers(t *testing.T) {
	replays.Refed(t, machinetest.Runs{Seeds: 3, Entries: 500, Check: 1})
}

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	replays.Installed(t, machinetest.Runs{Seeds: 2, Entries: 300, Behind: 200, Astray: 100})
}
