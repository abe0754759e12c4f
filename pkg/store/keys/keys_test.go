package keys

import (
	"bytes"
	"math"
	"testing"
)

func TestKeysAreInTheOrderOfTheirNumbers(t *testing.T) {
	b := []byte("in front")
	if got := Append(b, 'k', 1, 0x0203); string(got) != "in frontk\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02\x03" {
		t.Errorf("the key is %q", got)
	}
	if got := Append(nil, 'k'); string(got) != "k" {
		t.Errorf("a key without numbers is %q", got)
	}
	var last []byte
	for _, n := range []uint64{0, 1, 255, 256, math.MaxInt64, math.MaxUint64} {
		key := Append(nil, 'k', n, 7)
		if bytes.Compare(last, key) >= 0 {
			t.Errorf("the key of %d is not behind %x", n, last)
		}
		last = key
	}
}

func TestAfterAPrefixComesTheFirstKeyThatDoesNotBeginWithIt(t *testing.T) {
	for _, c := range []struct{ prefix, want string }{
		{"a", "b"},
		{"ab", "ac"},
		{"a\x00", "a\x01"},
		{"a\xff", "b"},
		{"a\xfe\xff\xff", "a\xff"},
		{"\xff\xfe", "\xff\xff"},
	} {
		prefix := []byte(c.prefix)
		got := After(prefix)
		if string(got) != c.want {
			t.Errorf("after %q comes %q", c.prefix, got)
		}
		if string(prefix) != c.prefix {
			t.Errorf("%q has become %q", c.prefix, prefix)
		}
		if last := append(prefix, 0xFF, 0xFF); bytes.Compare(last, got) >= 0 {
			t.Errorf("%q is not before %q", last, got)
		}
	}
	for _, none := range []string{"", "\xff", "\xff\xff"} {
		if got := After([]byte(none)); got != nil {
			t.Errorf("after %q comes %q", none, got)
		}
	}
}
