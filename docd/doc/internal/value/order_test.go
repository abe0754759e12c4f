package value

import (
	"bytes"
	"cmp"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// TestValuesOfAllTypesAreInOrder compares each two values of the table, and their keys.
func TestValuesOfAllTypesAreInOrder(t *testing.T) {
	type ranked struct {
		v    bsoncore.Value
		rank int
	}
	var all []ranked
	for i, line := range lines(t, "order.txt") {
		for _, v := range values(t, line) {
			all = append(all, ranked{v, i})
		}
	}
	for _, a := range all {
		for _, b := range all {
			want := cmp.Compare(a.rank, b.rank)
			if got := Compare(a.v, b.v); got != want {
				t.Errorf("Compare(%s, %s) = %d, want %d", show(a.v), show(b.v), got, want)
			}
			checkKeys(t, a.v, b.v, want)
		}
	}
}

// checkKeys checks that the keys of two values are in an order, upwards and downwards, whatever follows.
func checkKeys(t *testing.T, a, b bsoncore.Value, want int) {
	t.Helper()
	for _, desc := range []bool{false, true} {
		x, y := AppendKey(nil, a, desc), AppendKey(nil, b, desc)
		if desc {
			want = -want
		}
		if got := bytes.Compare(x, y); got != want {
			t.Errorf("keys of %s and %s, descending %v: %d, want %d\n%x\n%x", show(a), show(b), desc, got, want, x, y)
		}
		if want != 0 && (bytes.HasPrefix(x, y) || bytes.HasPrefix(y, x)) {
			t.Errorf("the key of one of %s and %s begins that of the other", show(a), show(b))
		}
		low, high := AppendMin(nil, ClassOf(a.Type), desc), AppendMax(nil, ClassOf(a.Type), desc)
		if desc {
			low, high = high, low
		}
		if inside := bytes.Compare(low, y) <= 0 && bytes.Compare(y, high) < 0; inside != (ClassOf(a.Type) == ClassOf(b.Type)) {
			t.Errorf("%s inside of the bounds of %s: %v (%x, %x, %x)", show(b), show(a), inside, low, y, high)
		}
	}
}

// TestBoundsHoldTheirClass checks Bounds on the table.
func TestBoundsHoldTheirClass(t *testing.T) {
	for _, line := range lines(t, "order.txt") {
		v := values(t, line)[0]
		for _, other := range lines(t, "order.txt") {
			w := values(t, other)[0]
			low, high, open := Bounds(ClassOf(v.Type))
			l, h := Compare(low, w), Compare(w, high)
			inside := l <= 0 && (h < 0 || h == 0 && !open)
			if inside != (ClassOf(v.Type) == ClassOf(w.Type)) {
				t.Errorf("%s inside of the class of %s: %v", show(w), show(v), inside)
			}
		}
	}
}

// randomNumber makes numbers that tend to be near one another whatever their types.
func randomNumber(r *rand.Rand) bsoncore.Value {
	bases := []float64{0, 1, 0.1, 1 << 53, 1 << 63, 1e22, 1e23, 5e-324, 1e-310, math.MaxFloat64, 19.99, math.Pi}
	f := bases[r.IntN(len(bases))]
	for range r.IntN(3) {
		f = math.Nextafter(f, float64(r.IntN(3)-1)*math.MaxFloat64)
	}
	if r.IntN(2) == 0 {
		f = -f
	}
	switch r.IntN(4) {
	case 0:
		return OfInt32(int32(r.IntN(5) - 2))
	case 1:
		if math.Abs(f) < 1<<62 {
			return OfInt64(int64(f) + int64(r.IntN(5)-2))
		}
		return OfInt64(math.MaxInt64 - int64(r.IntN(1500)))
	case 2:
		return OfDouble(f)
	}
	text := new(big.Float).SetPrec(200).SetFloat64(f).Text('e', 20+r.IntN(14))
	d, err := bson.ParseDecimal128(text)
	if err != nil {
		return OfDouble(f)
	}
	hi, lo := d.GetBytes()
	return bsoncore.Value{Type: Decimal128, Data: bsoncore.AppendDecimal128(nil, hi, lo)}
}

func exactly(v bsoncore.Value) *big.Rat {
	switch v.Type {
	case Int32:
		return new(big.Rat).SetInt64(int64(v.Int32()))
	case Int64:
		return new(big.Rat).SetInt64(v.Int64())
	case Double:
		return new(big.Rat).SetFloat64(v.Double())
	}
	hi, lo := v.Decimal128()
	r, _ := new(big.Rat).SetString(strings.ToLower(bson.NewDecimal128(hi, lo).String()))
	return r
}

func TestNumbersCompareAsTheirExactValues(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := randomNumber(r), randomNumber(r)
		want := exactly(a).Cmp(exactly(b))
		if got := Compare(a, b); got != want {
			t.Fatalf("Compare(%s, %s) = %d, want %d", show(a), show(b), got, want)
		}
		checkKeys(t, a, b, want)
	}
}

func TestTruncateCutsTowardsZero(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		v := randomNumber(r)
		x := exactly(v)
		want := new(big.Int).Quo(x.Num(), x.Denom())
		n, fits, exact := Truncate(v)
		if fits != want.IsInt64() || fits && (n != want.Int64() || exact != x.IsInt()) {
			t.Fatalf("Truncate(%s) = %d, %v, %v, want %v", show(v), n, fits, exact, want)
		}
	}
}

func TestTypesAreNamedAsByMongoDB(t *testing.T) {
	for text, want := range map[string]string{
		`["double"]`: "double", `[1]`: "double", `[-1]`: "minKey", `[127]`: "maxKey", `[19.0]`: "decimal", `["object"]`: "object",
		`[[2, "int"]]`: "string int", `["number"]`: "double int long decimal", `["binData"]`: "binData",
		`["foo"]`: "error 2", `[0]`: "error 2", `[20]`: "error 2", `[1.5]`: "error 2", `[[]]`: "error 9", `[true]`: "error 14",
	} {
		var got []string
		set, err := ParseTypes(values(t, text)[0])
		if err != nil {
			got = append(got, "error", show(OfInt32(codeOf(err))))
		}
		for i := range 256 {
			if set.Has(bsoncore.Type(i)) {
				got = append(got, TypeName(bsoncore.Type(i)))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("$type: %s is %v, want %s", text, got, want)
		}
	}
}
