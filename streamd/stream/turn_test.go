package stream

import (
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestPartitionsTakeTurns(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 3)
	w.subscribe("t", "g", "c")
	for p := range int32(3) {
		w.publish("t", p, numbered(1, 20)...)
	}
	var order []int32
	for range 6 {
		got := w.consume("t", "g", "c", 5)
		if len(got) != 5 || got[0].partition != got[4].partition {
			t.Fatalf("it got %v", got)
		}
		order = append(order, got[0].partition)
	}
	if !slices.Equal(order, []int32{0, 1, 2, 0, 1, 2}) {
		t.Errorf("partitions had their turns as %v", order)
	}
	if got := w.consume("t", "g", "c", 100); len(got) != 30 {
		t.Errorf("the rest is %d records", len(got))
	}
	if got := w.consume("t", "g", "c", 100); len(got) != 0 {
		t.Errorf("it got %v once more", got)
	}
}

// turn is a consume that counts.
func (w *world) turn(n uint64, count int) (values []string) {
	w.T.Helper()
	m := consumption("t", "g", "c", count)
	m.Turn = n
	resp := w.Must(wire.OpStreamConsume, m)
	_, all := consumed(w.T, &resp)
	for _, x := range all {
		values = append(values, x.value)
	}
	return values
}

func TestATurnThatIsAskedForAgainBringsWhatItBroughtAndNoMore(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	if got := w.turn(1, 5); got != nil {
		t.Fatalf("nothing was there, and it got %v", got)
	}
	w.publish("t", 0, numbered(1, 20)...)
	if got := w.turn(1, 5); got != nil {
		t.Fatalf("its answer may have been the first, but it got %v", got)
	}
	for _, count := range []int{5, 5, 100} {
		if got := w.turn(2, count); !slices.Equal(got, numbered(1, 5)) {
			t.Fatalf("asked for up to %d it got %v", count, got)
		}
	}
	if got := w.turn(2, 3); !slices.Equal(got, numbered(1, 3)) {
		t.Fatalf("asked for fewer it got %v", got)
	}
	if got := w.turn(2, 5); !slices.Equal(got, numbered(1, 3)) {
		t.Fatalf("asked for more once more it got %v", got)
	}
	if got := w.turn(3, 10); !slices.Equal(got, numbered(4, 13)) {
		t.Fatalf("its next turn brought %v", got)
	}
	w.Must(wire.OpStreamSeek, &wire.StreamSeek{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c"), Offset: 1})
	if got := w.turn(3, 10); got != nil {
		t.Fatalf("after a seek the turn before it brought %v", got)
	}
	if got := w.turn(4, 2); !slices.Equal(got, numbered(2, 3)) {
		t.Fatalf("behind the seek it got %v", got)
	}
}

func TestAConsumeOfAnEarlierSubscriptionTakesNothingOfTheNext(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	lost := newClient(t, w)
	lost.consume(1, "t", "g", "c", 10, long)
	w.parked(1)
	w.subscribe("t", "g", "c")
	w.publish("t", 0, numbered(1, 3)...)
	if resp := lost.answer(1); resp.Num != 0 {
		t.Errorf("a consume from before the subscription was given %d records", resp.Num)
	}
	if got := w.consume("t", "g", "c", 10); len(got) != 3 {
		t.Errorf("the consumer got %v", got)
	}
	w.quiet()
}

// A client that counts from the beginning, or far behind, is not the one that has consumed so far.
func TestAConsumeOfAClientThatIsBehindIsFencedAndTakesNothing(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	w.publish("t", 0, numbered(1, 20)...)
	w.turn(7, 5)
	late := consumption("t", "g", "c", 5)
	for _, late.Turn = range []uint64{1, 6} {
		if resp := w.Do(wire.OpStreamConsume, late, 0); resp.Code != wire.Fenced {
			t.Errorf("turn %d after 7 was answered %v with %d records", late.Turn, resp.Code, resp.Num)
		}
	}
	if got := w.turn(7, 5); !slices.Equal(got, numbered(1, 5)) {
		t.Errorf("the other one's turn brought %v once more", got)
	}
	if got := w.turn(8, 5); !slices.Equal(got, numbered(6, 10)) {
		t.Errorf("its next one brought %v", got)
	}
	w.subscribe("t", "g", "c")
	if got := w.turn(1, 5); !slices.Equal(got, numbered(1, 5)) {
		t.Errorf("after another subscription the first turn brought %v", got)
	}
}

func TestAConsumeThatDoesNotCountChangesNoTurn(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	w.publish("t", 0, numbered(1, 20)...)
	w.turn(1, 5)
	if got := valuesOf(w.consume("t", "g", "c", 5)); !slices.Equal(got, numbered(6, 10)) {
		t.Errorf("without a turn came %v", got)
	}
	if got := w.turn(1, 5); !slices.Equal(got, numbered(1, 5)) {
		t.Errorf("the turn brought %v once more", got)
	}
}
