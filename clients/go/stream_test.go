package flin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatNeedsNoServerIsRefusedAtOnce(t *testing.T) {
	s := connect(t, newFake(t).addr()).Stream
	if list, err := s.PublishBatch("events", 0, nil); err != nil || list != nil {
		t.Errorf("nothing: %v %v", list, err)
	}
	if _, err := s.PublishBatch("events", 0, make([]Record, wire.MaxBatch+1)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too much: %v", err)
	}
	for _, err := range []error{
		s.CreateTopic("events", 0, 0), s.CreateTopic("events", 1, -2),
		func() error { _, err := s.Offsets("events", 0, 5); return err }(),
	} {
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("%v", err)
		}
	}
}

func TestADamagedBatchIsAnErrorAndNotARecord(t *testing.T) {
	f := newFake(t)
	s := connect(t, f.addr()).Stream
	for _, codec := range []Codec{NoCompression, Gzip, Snappy, LZ4, Zstd} {
		whole := someSection(codec)
		for _, at := range []int{16, 20, len(whole.Batches) - 3} { // its version, its checksum, its records
			damaged := whole
			damaged.Batches = bytes.Clone(whole.Batches)
			damaged.Batches[at] ^= 0x55
			f.onRequest(func(c *fakeConn, req *wire.Request) bool {
				c.answer(req.Tag, wire.Response{Num: 3, Body: damaged.Append(nil)})
				return true
			})
			if list, err := s.Fetch("events", 2, 6); !errors.Is(err, ErrInternal) || list != nil {
				t.Errorf("codec %d, byte %d: %d records, %v", codec, at, len(list), err)
			}
		}
	}
}

func TestRecordsOfOneAnswerDoNotOverwriteEachOther(t *testing.T) {
	section := someSection(Zstd)
	second := someSection(LZ4)
	record.Batch(second.Batches).Patch(10, 1)
	section.Batches, section.To = append(section.Batches, second.Batches...), 15
	list, err := appendSection(nil, "events", &section)
	must(t, err)
	var text []string
	for _, r := range list {
		text = append(text, string(r.Value))
	}
	if got := strings.Join(text, ","); got != "v,,,behind,before,v,,,behind" {
		t.Error(got)
	}
}

// A Consume whose answer was lost is asked for again under its number, and brings what was lost; so is the next one after one that
// was given up.
func TestAConsumeWhoseAnswerWasLostComesAgain(t *testing.T) {
	s := newFakeTopic(t, 1)
	st := connect(t, s.f.addr()).Stream
	s.put(0, "a", "b", "c")
	s.assign("c", 0)
	must(t, st.Subscribe("events", "g", "c"))
	var turns []uint64
	lose := 1
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpStreamConsume {
			return false
		}
		var m wire.StreamConsume
		s.check(m.Decode(req.Body))
		turns = append(turns, m.Turn)
		if lose--; lose >= 0 {
			s.consume(&m)
			_ = c.nc.Close()
			return true
		}
		return false
	}
	values := func(n int) string {
		t.Helper()
		list, err := st.Consume("events", "g", "c", n)
		must(t, err)
		var text string
		for _, r := range list {
			text += string(r.Value)
		}
		return text
	}
	if got := values(2); got != "ab" {
		t.Errorf("first %q", got)
	}
	s.mu.Lock()
	lose = 100
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := st.client.With(ctx).Stream.Consume("events", "g", "c", 2); err == nil {
		t.Error("it was answered")
	}
	s.mu.Lock()
	lose = 0
	turns = turns[:0]
	s.mu.Unlock()
	if got := values(2) + values(2); got != "c" {
		t.Errorf("then %q", got)
	}
	if fmt.Sprint(turns) != "[2 3]" {
		t.Errorf("turns %v", turns)
	}
}

// Signs of life are given from Subscribe on, until Unsubscribe, or until the server says that the consumer is no member.
func TestTheClientSaysThatItsMembersAreAlive(t *testing.T) {
	s := newFakeTopic(t, 1)
	st := connect(t, s.f.addr()).Stream
	must(t, st.Subscribe("events", "g", "a", SessionTimeout(15*time.Millisecond)))
	must(t, st.Subscribe("events", "g", "b", SessionTimeout(15*time.Millisecond)))
	heard := map[string]int{}
	for heard["a"] < 3 || heard["b"] < 3 {
		heard[<-s.beats]++
	}
	must(t, st.Unsubscribe("events", "g", "a"))
	s.mu.Lock()
	s.members["b"] = false
	s.mu.Unlock()
	for st.client.members.alive() {
		select { // those that were on their way
		case <-s.beats:
		case <-time.After(time.Millisecond):
		}
	}
	s.mu.Lock()
	s.members["b"] = true
	s.mu.Unlock()
	must(t, st.Subscribe("events", "g", "b", SessionTimeout(15*time.Millisecond)))
	for len(s.beats) > 0 {
		<-s.beats
	}
	for range 3 {
		if who := <-s.beats; who != "b" {
			t.Errorf("%s is said to be alive", who)
		}
	}
}

// alive reports whether signs of life are given for anybody.
func (s *members) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.beating
}
