package wire

import (
	"math"
	"testing"
)

func TestALimitIsFromOneToTheMost(t *testing.T) {
	for _, c := range []struct{ n, most, want int }{
		{0, 1000, 1},
		{1, 1000, 1},
		{500, 1000, 500},
		{1000, 1000, 1000},
		{1001, 1000, 1000},
		{math.MaxInt, 1000, 1000},
		{-1, 1000, 1000}, // no number that anybody proposes
	} {
		if n, err := TakeLimit(AppendLimit(nil, c.n), c.most); n != c.want || err != nil {
			t.Errorf("%d of %d is %d, %v", c.n, c.most, n, err)
		}
	}
}

func TestALimitIsTheWholePayload(t *testing.T) {
	for _, body := range [][]byte{nil, {0x80}, {1, 2}} {
		if n, err := TakeLimit(body, 10); n != 0 || CodeOf(err) != Invalid {
			t.Errorf("%x is %d, %v", body, n, err)
		}
	}
}
