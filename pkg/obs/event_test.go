package obs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// heard is a sink that keeps what it is told.
type heard struct{ kinds, texts []string }

func (h *heard) hear(kind string, text []byte) {
	h.kinds, h.texts = append(h.kinds, kind), append(h.texts, string(text))
}

// tellAll hands over what waits.
func tellAll(t *testing.T, e *Events) {
	t.Helper()
	over, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Run(over); err != nil {
		t.Fatal(err)
	}
}

// counts returns how many events were told and lost.
func counts(t *testing.T, e *Events) [2]float64 {
	t.Helper()
	var n [2]float64
	for i, c := range e.Collectors() {
		var m dto.Metric
		if err := c.(prometheus.Metric).Write(&m); err != nil {
			t.Fatal(err)
		}
		n[i] = m.GetCounter().GetValue()
	}
	return n
}

func TestAnEventIsAnObjectWithTimeNodeKindAndItsOwnFields(t *testing.T) {
	e, h := NewEvents("n1"), &heard{}
	e.To(h.hear)
	before := time.Now().Truncate(time.Millisecond)
	e.Emit(EventLeader, struct {
		Group  string `json:"group"`
		Leader string `json:"leader,omitempty"`
		Term   uint64 `json:"term"`
	}{Group: `a"b`, Term: 7})
	e.Emit("plain", nil)
	e.Emit("empty", struct{}{})
	after := time.Now()
	tellAll(t, e)

	want := []map[string]any{
		{"node": "n1", "kind": "leader", "group": `a"b`, "term": 7.0}, {"node": "n1", "kind": "plain"}, {"node": "n1", "kind": "empty"},
	}
	for i, text := range h.texts {
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if at, err := time.Parse(time.RFC3339, got["time"].(string)); err != nil || at.Before(before) || at.After(after) {
			t.Errorf("%s: the time is not that of Emit: %v", text, err)
		}
		delete(got, "time")
		if d := cmp.Diff(want[i], got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	if !slices.Equal(h.kinds, []string{"leader", "plain", "empty"}) {
		t.Errorf("told of %v", h.kinds)
	}
	if n := counts(t, e); n != [2]float64{3, 0} {
		t.Errorf("told and lost are counted as %v", n)
	}
}

func TestWhatDoesNotFitIsLostAndCountedAndTheRestKeepsItsOrder(t *testing.T) {
	e, h := NewEvents("n1"), &heard{}
	e.To(h.hear)
	for i := range maxEvents + 5 { // nobody takes them: an Emit that waits would hang
		e.Emit(strconv.Itoa(i), nil)
	}
	tellAll(t, e)
	for i, kind := range h.kinds {
		if kind != strconv.Itoa(i) {
			t.Fatalf("number %d is %s", i, kind)
		}
	}
	if n := counts(t, e); n != [2]float64{maxEvents, 5} {
		t.Errorf("told and lost are counted as %v", n)
	}
}

func TestWithoutAListenerNothingIsKept(t *testing.T) {
	e, h := NewEvents("n1"), &heard{}
	e.Emit("early", nil)
	e.To(h.hear)
	e.Emit("heard", nil)
	tellAll(t, e)
	e.To(nil)
	e.Emit("late", nil)
	tellAll(t, e)
	if !slices.Equal(h.kinds, []string{"heard"}) {
		t.Errorf("told of %v", h.kinds)
	}
	if n := counts(t, e); n != [2]float64{1, 0} {
		t.Errorf("told and lost are counted as %v", n)
	}
}

func TestAnEventThatIsNoObjectIsLost(t *testing.T) {
	e, h := NewEvents("n1"), &heard{}
	e.To(h.hear)
	e.Emit("number", 7)
	e.Emit("function", func() {})
	tellAll(t, e)
	if n := counts(t, e); len(h.texts) != 0 || n != [2]float64{0, 2} {
		t.Errorf("told of %q; told and lost are counted as %v", h.texts, n)
	}
}

func TestEventsThatAreNotThereDoNothing(t *testing.T) {
	var e *Events
	e.To(func(string, []byte) { t.Error("an event of nobody") })
	e.Emit(EventSlow, nil)
	tellAll(t, e)
	if len(e.Collectors()) != 0 {
		t.Error("they have metrics")
	}
}

func TestEventsAreToldWhileTheyHappen(t *testing.T) {
	e, told := NewEvents("n1"), make(chan string)
	e.To(func(kind string, _ []byte) { told <- kind })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	for _, kind := range []string{"one", "two"} {
		e.Emit(kind, nil)
		if got := <-told; got != kind {
			t.Errorf("told of %s, want %s", got, kind)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
