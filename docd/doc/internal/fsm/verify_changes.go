package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// changes compares what is counted of recorded changes with what is there, and the chunks with their keys.
func (v *verifier) changes() {
	have := record{floor: v.m.record.floor, oldest: never}
	at := have.floor
	err := v.view.Iterate([]byte{kindChange}, []byte{kindChange + 1}, store.IterOptions{}, func(key []byte, val store.Value) bool {
		last, err := readPlace(key)
		if err != nil {
			v.say("the key %x of recorded changes: %w", key, err)
			return false
		}
		time, size, err := readChunkHead(val.Head)
		if err != nil || size != uint64(len(val.Body)) || !have.floor.Before(last) {
			v.say("the changes up to %v, behind %v, are said to have %d bytes and have %d: %w", last, have.floor, size, len(val.Body), err)
		}
		have.chunks++
		have.bytes += uint64(len(val.Body))
		have.oldest = min(have.oldest, time)
		at = v.chunk(at, last, time, val.Body)
		return len(v.found) < maxFound
	})
	if err != nil {
		v.say("reading recorded changes: %w", err)
	}
	if have != v.m.record {
		v.say("recorded changes are %+v, and counted as %+v", have, v.m.record)
	}
}

// chunk checks that the events of a chunk, behind those up to at, are numbered without a gap up to last.
func (v *verifier) chunk(at, last Place, time int64, events []byte) Place {
	r := wire.NewReader(events)
	var e wire.DocEvent
	for r.Len() > 0 {
		wire.TakeDocEvent(&r, &e)
		next := Place{last.Rev, 1}
		if at.Rev == last.Rev {
			next.Event = at.Event + 1
		}
		if got := (Place{e.Rev, e.Event}); r.Err() != nil || got != next || e.Time != time {
			v.say("behind %v, in the changes up to %v, is event %v of %d: %w", at, last, got, e.Time, r.Err())
			return last
		}
		at = next
	}
	if at != last {
		v.say("the changes up to %v end at %v", last, at)
	}
	return last
}
