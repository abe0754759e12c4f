package systest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// The annals must see everything that the kill loop of the streams looks for, or its silence means nothing.
func TestTheAnnalsSeeWhatIsLost(t *testing.T) {
	// publish notes a record of author w, the next one, that was acknowledged at an offset of partition 0.
	publish := func(a *annals, w *author, offset int64, key string) flin.Record {
		d := a.compose(w, 1)
		d[0].key = key
		a.send(w, flin.AnyPartition, d)
		a.told(w, d[0].seq, done, &flin.Position{Offset: offset})
		r := flin.Record{Offset: offset, Value: d[0].value}
		if key != "" {
			r.Key = []byte(key)
		}
		return r
	}
	// together notes two records that were published to partition 0 by one command whose fate is not known.
	together := func(a *annals, w *author, offset int64) (list []flin.Record) {
		d := a.compose(w, 2)
		a.send(w, 0, d)
		for i := range d {
			list = append(list, flin.Record{Offset: offset + int64(i), Value: d[i].value})
		}
		return list
	}
	for _, c := range []struct {
		name string
		do   func(a *annals, w *author, log []flin.Record) []flin.Record // returns the log as it is read in the end
		says string                                                      // empty: nothing is wrong
	}{
		{"all is there", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, a.asks())
			a.committed(flin.Position{Offset: 2})
			a.lookedUp(0, 2, a.asks())
			return log
		}, ""},
		{"a record is lost", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			return log[:1]
		}, "w#2 was acknowledged (offset 1 of partition 0), and it is not there"},
		{"a record comes to nobody", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log[:1], nil)
			return log
		}, "w#2, at 1 of partition 0, came to no reader"},
		{"an offset is left out", func(a *annals, w *author, log []flin.Record) []flin.Record {
			log = append(log, publish(a, w, 3, ""))
			a.came("m", log, nil)
			return log
		}, "record 2 of partition 0 says that it is 3"},
		{"a record is stored twice", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			again := log[0]
			again.Offset = 2
			return append(log, again)
		}, "w#1 is at offset 0 of partition 0, and at 2 of 0"},
		{"a record comes before it is published twice", func(a *annals, w *author, log []flin.Record) []flin.Record {
			d := a.compose(w, 1)
			a.send(w, flin.AnyPartition, d)
			a.came("m", append(log, flin.Record{Offset: 2, Value: d[0].value}), nil)
			a.told(w, d[0].seq, done, &flin.Position{Offset: 3})
			return log
		}, "delivered at 2 of partition 0 and is said to be at 3"},
		{"two are in the wrong order", func(a *annals, w *author, log []flin.Record) []flin.Record {
			d := a.compose(w, 2)
			a.send(w, flin.AnyPartition, d)
			log = append(log, flin.Record{Offset: 2, Value: d[1].value}, flin.Record{Offset: 3, Value: d[0].value})
			a.came("m", log, nil)
			return log
		}, "w#3 lies behind #4"},
		{"a refused record is there", func(a *annals, w *author, log []flin.Record) []flin.Record {
			d := a.compose(w, 1)
			a.send(w, flin.AnyPartition, d)
			a.told(w, d[0].seq, notDone, nil)
			a.came("m", log, nil)
			return append(log, flin.Record{Offset: 2, Value: d[0].value})
		}, "w#3 was refused"},
		{"a record without an answer may be there", func(a *annals, w *author, log []flin.Record) []flin.Record {
			log = append(log, together(a, w, 2)...)
			a.came("m", log, nil)
			return log
		}, ""},
		{"a record without an answer may be missing", func(a *annals, w *author, log []flin.Record) []flin.Record {
			together(a, w, 2)
			a.came("m", log, nil)
			return log
		}, ""},
		{"half of a batch is there", func(a *annals, w *author, log []flin.Record) []flin.Record {
			log = append(log, together(a, w, 2)[:1]...)
			a.came("m", log, nil)
			return log
		}, "of 2 records that were published together 1 are there"},
		{"a stranger's record is there", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			return append(log, flin.Record{Offset: 2, Value: payload("x", 1, smallValue)})
		}, "offset 2 of partition 0 holds"},
		{"a value is not whole", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			log[1].Value = log[1].Value[:smallValue-1]
			a.came("m", log, nil)
			return log
		}, "which nobody has published"},
		{"a key is in two partitions", func(a *annals, w *author, log []flin.Record) []flin.Record {
			one, other := publish(a, w, 2, "key7"), publish(a, w, 3, "key7")
			a.came("m", append(log, one, other), nil)
			a.mu.Lock()
			w.entries[3].partition, w.entries[3].offset = 1, 0
			a.mu.Unlock()
			other.Partition, other.Offset = 1, 0
			return append(log, one, other)
		}, "key 7 are in partitions 0 and 1"},
		{"a key is changed", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			log[1].Key = []byte("key1")
			a.came("m", log, nil)
			return log
		}, "has the key"},
		{"a committed record comes again", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			a.committed(flin.Position{Offset: 2})
			a.came("n", log[1:], a.asks())
			return log
		}, "n: record 1 of partition 0 came, and everything before 2 was committed"},
		{"a record that is not committed may come again", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			a.committed(flin.Position{Offset: 1})
			a.came("n", log[1:], a.asks())
			return log
		}, ""},
		{"a committed offset goes back", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			a.lookedUp(0, 2, a.asks())
			a.lookedUp(0, 1, a.asks())
			return log
		}, "of partition 0 everything before 2 was committed, and now it is 1"},
		{"a commit is lost", func(a *annals, _ *author, log []flin.Record) []flin.Record {
			a.came("m", log, nil)
			a.committed(flin.Position{Offset: 2})
			a.lookedUp(0, 0, a.asks())
			return log
		}, "everything before 2 was committed, and now it is 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said []string
			a := newAnnals(2, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
			w := a.newAuthor("w")
			log := c.do(a, w, []flin.Record{publish(a, w, 0, ""), publish(a, w, 1, "")})
			au := a.newAudit()
			for i := range log {
				au.visit(log[i].Partition, &log[i])
			}
			au.end()
			all := strings.Join(said, "; ")
			if c.says == "" && all != "" || !strings.Contains(all, c.says) {
				t.Errorf("it says %q, not %q", all, c.says)
			}
		})
	}
}
