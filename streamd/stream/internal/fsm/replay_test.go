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
	tally(t, replays.Twice(t, machinetest.Runs{Seeds: 3, Entries: 800}))
}

// tally holds the random log against being about nothing.
func tally(t *testing.T, log []entry) {
	ok, refused := map[wire.Op]int{}, map[wire.Op]int{}
	for _, e := range log {
		for i, ans := range e.Answers {
			if ans.Code == wire.OK {
				ok[e.Cmds[i].Op]++
			} else {
				refused[e.Cmds[i].Op]++
			}
		}
	}
	for _, op := range []wire.Op{
		wire.OpStreamAppend, wire.OpStreamCommit, wire.OpStreamSubscribe, wire.OpStreamUnsubscribe, wire.OpStreamEvict, wire.OpStreamRetain,
		wire.OpStreamExpire, wire.OpStreamCollect, wire.OpStreamDelete, wire.OpStreamAlter, wire.OpStreamCreate, wire.OpStreamReset, wire.OpStreamDeleteGroup,
	} {
		if ok[op] == 0 {
			t.Errorf("%v never succeeded in the random log (%d refusals)", op, refused[op])
		}
	}
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	replays.Forgetting(t, machinetest.Runs{Seeds: 4, Entries: 500, Check: 4})
}

func TestALogThatIsFedAgainFromTheLastFlushGivesTheSameStoreAndAnswers(t *testing.T) {
	replays.Refed(t, machinetest.Runs{Seeds: 4, Entries: 700})
}

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	replays.Installed(t, machinetest.Runs{Seeds: 3, Entries: 300, Behind: 300, Astray: 200})
}
