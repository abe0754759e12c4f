package project

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// eachLine calls fn for each line of a file of testdata, cut after its first word.
func eachLine(t testing.TB, name string, fn func(at, word, rest string)) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word != "" && word != "#" {
			fn(fmt.Sprintf("%s:%d", name, n), word, rest)
		}
	}
}

func checkError(t *testing.T, at, rest string, compile func(bsoncore.Document) error) {
	t.Helper()
	number, text, _ := strings.Cut(rest, " ")
	code, _ := strconv.Atoi(number)
	err := compile(doctest.Document(t, text))
	var e *value.Error
	if !errors.As(err, &e) || int(e.Code) != code {
		t.Errorf("%s: %s: %v, want code %d", at, text, err, code)
	}
}

func TestProjectionsLeaveWhatIsDocumented(t *testing.T) {
	var p *Projection
	eachLine(t, "project.txt", func(at, word, rest string) {
		switch word {
		case "project":
			var err error
			if p, err = Compile(doctest.Document(t, rest)); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
		case "from":
			from, to, _ := strings.Cut(rest, "=>")
			got := bsoncore.Document(p.Apply([]byte("x"), doctest.Document(t, from))[1:])
			if want := doctest.Document(t, to); !bytes.Equal(got, want) {
				t.Errorf("%s: %s\n got %s\nwant %s", at, from, got, want)
			}
			if err := value.Valid(got); err != nil {
				t.Errorf("%s: %v", at, err)
			}
		case "error":
			checkError(t, at, rest, func(d bsoncore.Document) error { _, err := Compile(d); return err })
		default:
			t.Fatalf("%s: %s", at, word)
		}
	})
}

func TestDocumentsSortAsDocumented(t *testing.T) {
	var s *Sort
	var last []byte
	eachLine(t, "sort.txt", func(at, word, rest string) {
		switch word {
		case "sort":
			var err error
			if s, err = CompileSort(doctest.Document(t, rest)); err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			last = nil
			return
		case "error":
			checkError(t, at, rest, func(d bsoncore.Document) error { _, err := CompileSort(d); return err })
			return
		}
		want := 0
		if word != "=" {
			rest, want = word+" "+rest, -1
		}
		key := s.AppendKey([]byte("x"), doctest.Document(t, rest))[1:]
		if last != nil && bytes.Compare(last, key) != want {
			t.Errorf("%s: %s after the one before: %d, want %d", at, rest, bytes.Compare(last, key), want)
		}
		last = key
	})
}

// TestASortGoesByTheLeastKeyOfAnIndex makes documents at random: that an index has a document first by that key is what
// makes a sort by index and one in memory agree.
func TestASortGoesByTheLeastKeyOfAnIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var random func(levels int) string
	random = func(levels int) string {
		if levels == 0 || r.IntN(3) == 0 {
			return strconv.Itoa(r.IntN(5))
		}
		var parts []string
		if r.IntN(2) == 0 {
			for range r.IntN(3) {
				parts = append(parts, random(levels-1))
			}
			return "[" + strings.Join(parts, ",") + "]"
		}
		for _, name := range []string{"a", "b"} {
			if r.IntN(3) > 0 {
				parts = append(parts, fmt.Sprintf("%q: %s", name, random(levels-1)))
			}
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	compared := 0
	for range 5_000 {
		text := fmt.Sprintf(`{"a": %s, "b": %s}`, random(4), random(2))
		doc := doctest.Document(t, text)
		for _, by := range []string{`{"a": 1}`, `{"a": -1, "b": 1}`, `{"a.b": 1, "a.a": -1}`, `{"b": 1, "a.a.b": -1}`} {
			s, err := CompileSort(doctest.Document(t, by))
			if err != nil {
				t.Fatal(err)
			}
			key := s.AppendKey(nil, doc)
			var first []byte
			if _, err := value.Keys(doc, s.Fields(), func(k []byte) {
				if first == nil {
					first = bytes.Clone(k)
				}
			}); err != nil {
				continue
			}
			compared++
			if !bytes.Equal(first, key) {
				t.Fatalf("%s by %s: %x, but the first key of an index is %x", text, by, key, first)
			}
		}
	}
	if compared < 10_000 {
		t.Errorf("only %d documents could be in an index", compared)
	}
}

func TestAnIndexCoversWhatItHas(t *testing.T) {
	paths := []string{"a", "b.c"}
	for text, want := range map[string]bool{
		`{"_id": 0, "a": 1}`: true, `{"_id": 0, "b.c": 1, "a": 1}`: true, `{"a": 1}`: false, `{"_id": 0, "b": 1}`: false,
		`{"_id": 0, "a.b": 1}`: false, `{"a": 0}`: false, `{}`: false, `{"_id": 0, "a": {"$slice": 1}, "b.c": 1}`: false,
		`{"_id": 0, "a": {"$elemMatch": {"b": 1}}}`: false,
	} {
		p, err := Compile(doctest.Document(t, text))
		if err != nil {
			t.Fatal(text, err)
		}
		if p.Covered(paths) != want {
			t.Errorf("%s: covered %v", text, !want)
		}
	}
	if p, _ := Compile(doctest.Document(t, `{"a": 1}`)); !p.Covered([]string{"a", "_id"}) {
		t.Error("_id and a do not cover a")
	}
}

func TestProjectionsAreBounded(t *testing.T) {
	deep := doctest.Document(t, `{"`+strings.Repeat("a.", value.MaxPath)+`a": 1}`)
	if _, err := Compile(deep); err == nil {
		t.Error("a path of too many components is taken")
	}
	start, many := value.Begin(nil)
	for i := range MaxFields + 1 {
		many = value.AppendElement(many, strconv.Itoa(i), value.OfInt32(1))
	}
	if _, err := Compile(value.End(many, start)); err == nil {
		t.Error("too many fields are taken")
	}
}

// FuzzProject gives projections and sorts any bytes, and what they take any document.
func FuzzProject(f *testing.F) {
	doc := doctest.Document(f, `{"_id": 1, "a": [{"b": 1}, {"b": [2]}], "c": {"d": 1}}`)
	eachLine(f, "project.txt", func(_, word, rest string) {
		if word == "project" {
			f.Add([]byte(doctest.Document(f, rest)), []byte(doc))
		}
	})
	eachLine(f, "sort.txt", func(_, word, rest string) {
		if word == "sort" {
			f.Add([]byte(doctest.Document(f, rest)), []byte(doc))
		}
	})
	f.Fuzz(func(t *testing.T, spec, doc []byte) {
		valid := value.Valid(doc) == nil
		if p, err := Compile(spec); err == nil {
			p.Covered([]string{"a"})
			out := p.Apply(nil, doc)
			if err := value.Valid(out); valid && len(out) <= len(doc) && err != nil {
				t.Fatalf("%x becomes %x: %v", doc, out, err)
			}
		}
		if s, err := CompileSort(spec); err == nil {
			s.AppendKey(nil, doc)
		}
	})
}
