// Package run starts the parts of a process in order and stops them in reverse.
package run

import (
	"context"
	"errors"
	"fmt"
)

// Part is something that works until its context ends. Run returns when its last goroutine has left.
type Part struct {
	Name string
	Run  func(ctx context.Context) error
}

// All runs the parts until ctx ends or one of them does, then stops them from the last to the first, waiting for each
// before the next, so that a part never outlives what it stands on. It returns what went wrong in any of them.
func All(ctx context.Context, parts ...Part) error {
	type running struct {
		cancel context.CancelFunc
		done   chan error
	}
	ended := make(chan struct{}, len(parts))
	started := make([]running, 0, len(parts))
	for _, p := range parts {
		// Detached from ctx: the end of ctx must reach the parts one by one.
		partCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		r := running{cancel: cancel, done: make(chan error, 1)}
		go func() {
			r.done <- p.Run(partCtx)
			ended <- struct{}{}
		}()
		started = append(started, r)
	}

	select {
	case <-ctx.Done():
	case <-ended:
	}

	var errs []error
	for i := len(started) - 1; i >= 0; i-- {
		started[i].cancel()
		if err := <-started[i].done; err != nil && !errors.Is(err, context.Canceled) {
			errs = append(errs, fmt.Errorf("%s: %w", parts[i].Name, err))
		}
	}
	return errors.Join(errs...)
}
