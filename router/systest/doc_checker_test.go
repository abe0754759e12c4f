package systest

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// The folder must see everything that the kill loop of the documents looks for, or its silence means nothing.
func TestTheFolderSeesWhatIsLost(t *testing.T) {
	doc := func(id string, seq int32) flin.Document {
		return flin.Document{"_id": id, "seq": seq, "tags": []any{"a", seq}, "deep": flin.Document{"a": seq}}
	}
	// a, b and c were acknowledged, d deleted; then a and b were written loosely, and after that c and d together.
	folder := func() *folder {
		f := newFolder()
		f.sent(filing{leaves: map[string]flin.Document{"a": doc("a", 1), "b": doc("b", 1), "c": doc("c", 1), "d": doc("d", 1)}})
		f.answered()
		f.sent(filing{leaves: map[string]flin.Document{"d": nil}})
		f.answered()
		f.sent(filing{leaves: map[string]flin.Document{"a": doc("a", 2), "b": nil}, loose: true})
		f.sent(filing{leaves: map[string]flin.Document{"c": doc("c", 3), "d": doc("d", 3)}})
		return f
	}
	was := map[string]flin.Document{"a": doc("a", 1), "b": doc("b", 1), "c": doc("c", 1)}
	with := func(change map[string]flin.Document) map[string]flin.Document {
		found := maps.Clone(was)
		for at, d := range change {
			if found[at] = d; d == nil {
				delete(found, at)
			}
		}
		return found
	}
	other := doc("c", 1)
	other["tags"] = []any{"a", int32(7)}
	more := doc("c", 1)
	more["more"] = "than was written"
	for _, c := range []struct {
		name  string
		found map[string]flin.Document
		ok    bool
	}{
		{"nothing unanswered was executed", was, true},
		{"half of the loose one was executed", with(map[string]flin.Document{"b": nil}), true},
		{"the other half of it was executed", with(map[string]flin.Document{"a": doc("a", 2)}), true},
		{"all of it was executed", with(map[string]flin.Document{"a": doc("a", 2), "b": nil}), true},
		{"both were executed", with(map[string]flin.Document{"a": doc("a", 2), "b": nil, "c": doc("c", 3), "d": doc("d", 3)}), true},
		{"half of the one that is whole was executed", with(map[string]flin.Document{"a": doc("a", 2), "b": nil, "c": doc("c", 3)}), false},
		{"the second was executed without the first", with(map[string]flin.Document{"c": doc("c", 3), "d": doc("d", 3)}), false},
		{"a document is lost", with(map[string]flin.Document{"c": nil}), false},
		{"a deletion is undone", with(map[string]flin.Document{"d": doc("d", 1)}), false},
		{"an update was made twice", with(map[string]flin.Document{"a": doc("a", 3)}), false},
		{"an array is another", with(map[string]flin.Document{"c": other}), false},
		{"there is a field too many", with(map[string]flin.Document{"c": more}), false},
		{"a stranger's document is there", with(map[string]flin.Document{"e": doc("e", 1)}), false},
	} {
		if err := folder().settle(c.found); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The bank must see a transfer of which one half is missing.
func TestTheBankSeesHalfATransfer(t *testing.T) {
	entry := flin.Document{"_id": "w/1", "from": int32(0), "to": int32(1), "amount": int32(5)}
	for _, c := range []struct {
		name    string
		fate    outcome
		balance [2]int32
		moves   [2]int32
		journal []flin.Document
		says    string
	}{
		{"it was made", done, [2]int32{995, 1005}, [2]int32{1, 1}, []flin.Document{entry}, ""},
		{"it was made without an answer", unknown, [2]int32{995, 1005}, [2]int32{1, 1}, []flin.Document{entry}, ""},
		{"it was not made", unknown, [2]int32{1000, 1000}, [2]int32{0, 0}, nil, ""},
		{"it is lost", done, [2]int32{1000, 1000}, [2]int32{0, 0}, nil, "was acknowledged and is not in the journal"},
		{"it was refused and is there", notDone, [2]int32{995, 1005}, [2]int32{1, 1}, []flin.Document{entry}, "refused or never made"},
		{"the money did not arrive", unknown, [2]int32{995, 1000}, [2]int32{1, 0}, []flin.Document{entry}, "account 1 has 1000"},
		{"it has no entry", unknown, [2]int32{995, 1005}, [2]int32{1, 1}, nil, "account 0 has 995"},
		{"it was made twice", done, [2]int32{990, 1010}, [2]int32{2, 2}, []flin.Document{entry}, "account 0 has 990"},
	} {
		k := &bank{fates: map[string]outcome{"w/1": c.fate}}
		var balances []flin.Document
		for i := range int32(accounts) {
			a := flin.Document{"_id": i, "balance": int32(deposit), "moves": int32(0)}
			if i < 2 {
				a["balance"], a["moves"] = c.balance[i], c.moves[i]
			}
			balances = append(balances, a)
		}
		var said []string
		k.audit(func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }, balances, c.journal)
		if all := strings.Join(said, "; "); c.says == "" && all != "" || !strings.Contains(all, c.says) {
			t.Errorf("%s: it says %q, not %q", c.name, all, c.says)
		}
	}
}

// Where the engine may end within a pipeline, any of the requests without an answer may have been executed, and nothing else.
func TestTheFolderSeesWhatIsLostBetweenHoles(t *testing.T) {
	doc := func(id string, seq int32) flin.Document { return flin.Document{"_id": id, "seq": seq} }
	one := func(id string, seq int32) filing {
		return filing{leaves: map[string]flin.Document{id: doc(id, seq)}}
	}
	for _, c := range []struct {
		name  string
		found map[string]flin.Document
		ok    bool
	}{
		{"neither was executed", map[string]flin.Document{"a": doc("a", 1), "c": doc("c", 4)}, true},
		{"the second was executed", map[string]flin.Document{"a": doc("a", 1), "b": doc("b", 3), "c": doc("c", 4)}, true},
		{"both were executed", map[string]flin.Document{"a": doc("a", 2), "b": doc("b", 3), "c": doc("c", 4)}, true},
		{"what was acknowledged behind them is lost", map[string]flin.Document{"a": doc("a", 2)}, false},
		{"what was refused was executed", map[string]flin.Document{"a": doc("a", 1), "c": doc("c", 4), "d": doc("d", 5)}, false},
	} {
		f := newFolder()
		f.holes = true
		f.sent(one("a", 1))
		f.answered()
		f.sent(one("a", 2))
		f.sent(one("b", 3))
		f.sent(one("c", 4))
		f.sent(one("d", 5))
		f.next += 2
		f.answered()
		f.refused()
		if err := f.settle(c.found); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
