package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// MinTimedBody is the least size of the body of a record that says when it was published.
const MinTimedBody = MinBody + 8

const (
	deliverSize = 256                    // records of a batch
	deliverWait = 100 * time.Millisecond // that a member waits for a record before it looks whether all have come
	deliverLate = 200                    // such waits in vain after the last publish, when records are given up as lost
)

// Delivery is a load of records that go through a stream: some publish, some consume meanwhile.
type Delivery struct {
	Publishers int
	Rate       float64 // records a second of all publishers; 0: as fast as they can
	Duration   time.Duration
	Abort      func()
}

// Deliver publishes records and lets the members that Join has made consume them meanwhile, until all have come. In the result
// a record's wait is from the moment at which its publish began to that at which a member had it.
func (w *StreamWork) Deliver(ctx context.Context, d Delivery) (*load.Result, error) {
	if w.Values.Size() < MinTimedBody {
		return nil, fmt.Errorf("a body of %d bytes has no room for its time, it needs %d", w.Values.Size(), MinTimedBody)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	published := make(chan error, 1)
	all := make(chan struct{})
	go func() {
		_, err := load.Run(ctx, load.Config{Workers: d.Publishers, Rate: d.Rate, Duration: d.Duration, Op: w.publishTimed(begin), Abort: d.Abort})
		if err != nil {
			cancel()
		}
		published <- err
		close(all)
	}()
	waits := make([]arrivals, len(w.consumers))
	res, err := load.Run(ctx, load.Config{Workers: len(w.consumers), Op: w.receiveTimed(begin, waits, all), Abort: d.Abort})
	cancel()
	if failed := <-published; failed != nil && !errors.Is(failed, context.Canceled) {
		return nil, fmt.Errorf("publish: %w", failed)
	}
	if err != nil {
		return nil, fmt.Errorf("consume: %w", err)
	}
	res.Wait, res.Elapsed = load.Histogram{}, 0 // not until the members have seen that no more comes
	for i := range waits {
		res.Wait.Merge(&waits[i].waits)
		res.Elapsed = max(res.Elapsed, waits[i].last)
	}
	return res, nil
}

// arrivals is what a member knows of the records that it had.
type arrivals struct {
	waits load.Histogram
	last  time.Duration // since the beginning
}

func (w *StreamWork) publishTimed(begin time.Time) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		return func() (int, error) {
			buf = w.body(buf, w.next.Add(1)-1)
			binary.LittleEndian.PutUint64(buf[MinBody:], uint64(time.Since(begin)))
			return 1, w.Stream.Publish(buf)
		}
	}
}

func (w *StreamWork) receiveTimed(begin time.Time, waits []arrivals, all <-chan struct{}) func(*load.Worker) load.Op {
	return func(worker *load.Worker) load.Op {
		c, check, came := w.consumers[worker.ID], bodyChecker{work: &w.numbered, timed: true}, &waits[worker.ID]
		see := func(body []byte) error {
			if err := check.check(body); err != nil {
				return err
			}
			came.last = time.Since(begin)
			came.waits.Add(came.last - time.Duration(binary.LittleEndian.Uint64(body[MinBody:])))
			return nil
		}
		vain := 0
		return func() (int, error) {
			n, err := c.Next(deliverSize, deliverWait, see)
			if err != nil || n > 0 {
				vain = 0
				return n, err
			}
			select {
			case <-all:
			default:
				return 0, nil
			}
			switch vain++; {
			case w.Left() == 0:
				return 0, load.ErrDone
			case vain > deliverLate:
				return 0, fmt.Errorf("%d records did not come: %w", w.Left(), ErrDrained)
			}
			return 0, nil
		}
	}
}
