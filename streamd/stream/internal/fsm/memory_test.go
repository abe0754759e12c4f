package fsm

import (
	"runtime"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestABatchCostsAtMostTwentyFourBytesOfMemory(t *testing.T) {
	const partitions, each, bound = 4, 250_000, 24
	before := machinetest.HeapInUse()
	lists := make([]batches, partitions)
	for i := range lists {
		for k := range int64(each) {
			lists[i].add(100*k, 1<<20, 1_700_000_000_000+k)
		}
	}
	used := machinetest.HeapInUse() - before
	if n := float64(used) / (partitions * each); n > bound {
		t.Errorf("a batch costs %.1f bytes, the bound is %d", n, bound)
	} else {
		t.Logf("a batch costs %.1f bytes", n)
	}
	runtime.KeepAlive(lists)
}

func TestAPartitionWithoutRecordsCostsLittle(t *testing.T) {
	const partitions, bound = 100_000, 200
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	before := machinetest.HeapInUse()
	for i := range partitions / wire.MaxPartitions {
		b.create(string(rune('a'+i)), wire.MaxPartitions, 0, wire.TopicSettings{})
	}
	if each := (machinetest.HeapInUse() - before) / partitions; each > bound {
		t.Errorf("a partition costs %d bytes, the bound is %d", each, bound)
	} else {
		t.Logf("a partition costs %d bytes", each)
	}
}

func TestRemovedBatchesLeaveNothingInMemory(t *testing.T) {
	var l batches
	const n = 10 * blockItems
	for i := range int64(n) {
		l.add(3*i, 100, i)
	}
	for i := range int64(n) {
		if got := l.bytes(); got != 100*(n-i) || int64(l.count) != n-i {
			t.Fatalf("with %d batches gone %d are left, of %d bytes", i, l.count, got)
		}
		if at := l.find(3*n - 1); l.offsetOf(at) != 3*(n-1) || l.sizeOf(at) != 100 {
			t.Fatalf("with %d batches gone the last is at %d", i, l.offsetOf(at))
		}
		if at, ok := l.since(0); !ok || l.timeOf(at) != i {
			t.Fatalf("with %d batches gone the first has time %d", i, l.timeOf(at))
		}
		if blocks := int(n-i+blockItems-1)/blockItems + 1; len(l.blocks) > blocks {
			t.Fatalf("with %d batches gone there are %d blocks", i, len(l.blocks))
		}
		l.shift()
	}
	if l.blocks != nil || l.bytes() != 0 {
		t.Errorf("an empty list has %d blocks and %d bytes", len(l.blocks), l.bytes())
	}
	l.add(3*n, 7, 5)
	if at := l.find(3 * n); l.offsetOf(at) != 3*n || l.bytes() != 7 {
		t.Errorf("what comes after is at %d", l.offsetOf(at))
	}
}

func TestADescriptorHoldsWhatDoesNotFitIntoABlock(t *testing.T) {
	var l batches
	var offsets, sizes []int64
	at := int64(0)
	for i := range int64(1000) {
		size := wire.MaxRecordBatch - i
		offsets, sizes = append(offsets, at), append(sizes, size)
		l.add(at, int(size), i)
		at += 1 << 26
	}
	for i := range offsets {
		p := l.find(offsets[i] + 1<<25)
		if l.offsetOf(p) != offsets[i] || int64(l.sizeOf(p)) != sizes[i] || l.timeOf(p) != int64(i) {
			t.Fatalf("batch %d is found at %d with %d bytes and time %d", i, l.offsetOf(p), l.sizeOf(p), l.timeOf(p))
		}
	}
}
