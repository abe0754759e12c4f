package fsm

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

var replays = machinetest.Replay[*bench]{
	Open: func(t testing.TB, o store.Options) *bench {
		b := newBench(t, o)
		b.m.sparseBytes = 20
		return b
	},
	Player:  func(seed uint64) func(*bench, int) []entry { return newPlayer(seed).record },
	Tighten: func(b *bench) { b.m.cache.limit = 4 << 10 },
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	replays.Twice(t, machinetest.Runs{Seeds: 3, Entries: 800})
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	replays.Forgetting(t, machinetest.Runs{Seeds: 6, Entries: 500, Check: 1})
}

func TestALogThatIsFedAgainFromTheLastFlushGivesTheSameStoreAndAnswers(t *testing.T) {
	replays.Refed(t, machinetest.Runs{Seeds: 4, Entries: 700})
}

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	replays.Installed(t, machinetest.Runs{Seeds: 3, Entries: 300, Behind: 300, Astray: 200})
}

// brief is an answer for people.
func brief(op wire.Op, ans *wire.Response) string {
	text := fmt.Sprintf("%v num=%d rev=%d", ans.Code, ans.Num, ans.Rev)
	switch op {
	case wire.OpQueuePop, wire.OpQueueLease, wire.OpQueuePeek, wire.OpQueueGet:
		if ans.Code != wire.OK {
			break
		}
		for _, d := range deliveries(ans.Body) {
			text += fmt.Sprintf(" [%v attempt=%d nonce=%d state=%d pushed=%d until=%d expires=%d group=%s %s %.12q]",
				d.Receipt.ID, d.Receipt.Attempt, d.Receipt.Nonce, d.State, d.PushedAt, d.Until, d.Expires, d.Group, d.Headers, d.Body)
		}
		return text
	}
	return text + fmt.Sprintf(" %.60q", ans.Body)
}
