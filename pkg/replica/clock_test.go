package replica

import (
	"testing"
	"time"

	"go.uber.org/zap"
)

// handClock is a pair of clocks that a test moves.
type handClock struct {
	c    entryClock
	wall time.Time
	mono time.Duration
}

func newHandClock() *handClock {
	h := &handClock{wall: time.UnixMilli(1_700_000_000_000), mono: time.Second}
	h.c = entryClock{log: zap.NewNop(), wall: func() time.Time { return h.wall }, mono: func() int64 { return int64(h.mono) }}
	return h
}

// pass lets both clocks run.
func (h *handClock) pass(d time.Duration) { h.wall, h.mono = h.wall.Add(d), h.mono+d }

// at returns the next entry's time in ms after the beginning.
func (h *handClock) at(floor int64) int64 {
	if floor != 0 {
		floor += 1_700_000_000_000
	}
	return h.c.now(floor) - 1_700_000_000_000
}

func expect(t *testing.T, what string, got, want int64) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d ms, want %d", what, got, want)
	}
}

func TestEntryTimeFollowsTheWallClock(t *testing.T) {
	h := newHandClock()
	expect(t, "first", h.at(0), 0)
	h.pass(1500 * time.Millisecond)
	expect(t, "later", h.at(0), 1500)
	h.pass(3 * time.Hour)
	expect(t, "after a long rest", h.at(0), 1500+3*3600_000)
}

func TestEntryTimeGoesOnAtHalfSpeedWhileTheWallClockIsBehind(t *testing.T) {
	h := newHandClock()
	h.at(0)
	h.wall = h.wall.Add(-10 * time.Second)
	expect(t, "set back", h.at(0), 0)
	for range 3000 {
		h.pass(time.Millisecond)
		h.at(0)
	}
	expect(t, "after 3 s", h.at(0), 1500)
	h.pass(17 * time.Second) // the wall clock stands at +10 s, the entry time at 1500 + 8500
	expect(t, "they meet", h.at(0), 10_000)
	h.pass(time.Second)
	expect(t, "together again", h.at(0), 11_000)
}

func TestEntryTimeBeginsAtTheLastLeadersTime(t *testing.T) {
	h := newHandClock()
	expect(t, "another leader was ahead", h.at(5000), 5000)
	h.pass(4 * time.Second)
	expect(t, "half speed", h.at(5000), 7000)
	h.pass(6 * time.Second)
	expect(t, "caught up", h.at(5000), 10_000)
}

func TestAForwardJumpOfMoreThanAnHourIsRefused(t *testing.T) {
	h := newHandClock()
	h.at(0)
	h.pass(time.Second)
	h.wall = h.wall.Add(59 * time.Minute)
	expect(t, "59 minutes are taken", h.at(0), 1000+59*60_000)
	h.wall = h.wall.Add(2 * time.Hour)
	h.pass(time.Second)
	expect(t, "two hours are not", h.at(0), 2000+59*60_000)
	h.pass(time.Second)
	expect(t, "time goes on", h.at(0), 3000+59*60_000)
	h.wall = h.wall.Add(-2 * time.Hour)
	expect(t, "the clock is put right", h.at(0), 3000+59*60_000)
}
