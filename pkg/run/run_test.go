package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestPartsStopInReverseOrderWhenOneEnds(t *testing.T) {
	var order []string
	part := func(name string) Part {
		return Part{name, func(ctx context.Context) error {
			<-ctx.Done()
			order = append(order, name) // All stops one after the other: no two write at once
			return ctx.Err()
		}}
	}
	fault := errors.New("disk on fire")
	err := All(context.Background(), part("store"), part("group"), Part{"front", func(context.Context) error { return fault }})
	if !errors.Is(err, fault) || !strings.HasPrefix(err.Error(), "front: ") {
		t.Fatalf("All = %v, want the fault with the part's name", err)
	}
	if want := []string{"group", "store"}; !slices.Equal(order, want) {
		t.Fatalf("stopped in order %v, want %v", order, want)
	}
}

func TestTheEndOfTheContextIsNoError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	started := make(chan struct{})
	go func() {
		<-started
		cancel()
	}()
	err := All(ctx, Part{"idle", func(ctx context.Context) error {
		close(started)
		<-ctx.Done()
		return ctx.Err()
	}})
	if err != nil {
		t.Fatalf("All = %v, want nil", err)
	}
}
