package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// What a read of what is not in memory is made of.
const (
	coldBytes    = 10_000_000_000 // of records that are read
	coldFetch    = 1 << 20        // bytes of an answer
	coldRate     = 5000           // records a second that are published meanwhile
	coldCallers  = 256            // goroutines that publish them
	plainFile    = 1 << 30        // bytes of each file of a plain read
	plainBuffer  = 1 << 20        // bytes that a plain read asks for at once
	leastOffDisk = .8             // of the bytes that are read, how many the disk must have been asked for
)

// The names of figures.
const (
	readRate    = "MB/s read"
	calmPublish = "publish p99 ms"
	busyPublish = "publish p99 beside the read ms"
)

// streamCold measures how fast a topic is read from its start, one goroutine a partition, when nothing of it is in the page
// cache, while others publish to it at a set rate; and what a publish waits with and without that read. The server is started
// again before, so that it has nothing in its own memory either.
func (l *lab) streamCold(side streamSide) *probe {
	return &probe{name: "stream: read of 10 GB from the disk, " + side.name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.withStream(ctx, side, func(b *streamBench) error {
			n := l.coldRecords()
			if err := b.fill(ctx, n); err != nil {
				return err
			}
			if err := b.startCold(ctx); err != nil {
				return err
			}
			calm, err := timed(ctx, load.Config{Workers: coldCallers, Rate: coldRate, Duration: l.seconds, Op: b.Publish(), Abort: b.abort})
			if err != nil {
				return err
			}
			read, busy, err := b.readBeside(ctx, n)
			out = map[string]figure{
				readRate:    {value: megabytes(int64(n)*valueSize) / read.Seconds()},
				calmPublish: {milliseconds(calm.p99), calm.p50, calm.p99, calm.max},
				busyPublish: {milliseconds(busy.p99), busy.p50, busy.p99, busy.max},
			}
			return err
		})
		return out, err
	}}
}

// coldRecords returns how many records are read: so many that every partition has the same number of whole batches.
func (l *lab) coldRecords() uint64 {
	const step = fewPartitions * queueBatch
	return l.amount(coldBytes/valueSize) / step * step
}

// startCold starts the server again with nothing of its data in memory.
func (b *streamBench) startCold(ctx context.Context) error {
	if err := errors.Join(b.Stream.Close(), b.Stop(), b.DropCache(), b.Restart(ctx)); err != nil {
		return err
	}
	c, err := b.side.open(b.Addr)
	if err != nil {
		return errors.Join(err, b.Alive())
	}
	b.Stream = c
	return rest(ctx, settle)
}

// readBeside reads the first n records while others are published. It returns how long the read took, and what the publishes
// waited. Who reads has a client of his own, as another program would.
func (b *streamBench) readBeside(ctx context.Context, n uint64) (took time.Duration, publish figure, err error) {
	reader, err := b.side.open(b.Addr)
	if err != nil {
		return 0, figure{}, errors.Join(err, b.Alive())
	}
	defer func() { err = errors.Join(err, reader.Close()) }()
	before, err := b.ReadBytes()
	if err != nil {
		return 0, figure{}, err
	}
	over, end := context.WithCancel(ctx)
	defer end()
	type result struct {
		figure
		err error
	}
	published := make(chan result, 1)
	go func() {
		op := b.Publish()
		f, err := timed(ctx, load.Config{Workers: coldCallers, Rate: coldRate, Abort: b.abort, Op: func(w *load.Worker) load.Op {
			op := op(w)
			return func() (int, error) {
				if over.Err() != nil {
					return 0, load.ErrDone
				}
				return op()
			}
		}})
		if err != nil {
			end() // the figures mean nothing any more
		}
		published <- result{f, err}
	}()
	begin := time.Now()
	err = readAll(over, reader, n)
	took = time.Since(begin)
	end()
	p := <-published
	if p.err != nil {
		return 0, figure{}, fmt.Errorf("publish beside the read: %w", p.err)
	}
	after, ioErr := b.ReadBytes()
	if err := errors.Join(err, ioErr); err != nil {
		return 0, figure{}, err
	}
	if all, disk := int64(n)*valueSize, after-before; float64(disk) < leastOffDisk*float64(all) {
		return 0, figure{}, fmt.Errorf("%.0f MB were read, and only %.0f MB of them from the disk", megabytes(all), megabytes(disk))
	}
	return took, p.figure, nil
}

// readAll reads the first n records, which lie evenly in the partitions.
func readAll(ctx context.Context, s driver.Stream, n uint64) error {
	r, ok := s.(driver.PartitionReader)
	if !ok {
		return fmt.Errorf("%T cannot be read by offset: %w", s, errors.ErrUnsupported)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var readers sync.WaitGroup
	for p := range r.Partitions() {
		readers.Go(func() {
			if err := readPartition(ctx, r, p, int64(n)/int64(r.Partitions())); err != nil {
				cancel(err)
			}
		})
	}
	readers.Wait()
	return context.Cause(ctx)
}

func readPartition(ctx context.Context, r driver.PartitionReader, partition int, n int64) error {
	see := func(body []byte) error {
		if len(body) != valueSize {
			return fmt.Errorf("a record has %d bytes, and all were published with %d", len(body), valueSize)
		}
		return nil
	}
	for from := int64(0); from < n; {
		next, err := r.ReadPartition(ctx, partition, from, coldFetch, see)
		if err != nil {
			return fmt.Errorf("read partition %d from offset %d: %w", partition, from, err)
		}
		if next == from {
			return fmt.Errorf("partition %d has no record at offset %d, and %d were published to it", partition, from, n)
		}
		from = next
	}
	return nil
}

// plainRead measures how fast files of as many bytes are read one after the other, when nothing of them is in the page cache.
func (l *lab) plainRead() *probe {
	return &probe{name: "stream: plain sequential read of 10 GB", measure: func(ctx context.Context) (out map[string]figure, err error) {
		dir, err := os.MkdirTemp(l.dir, "plain-")
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
		total := int64(l.coldRecords()) * valueSize
		files, err := writePlain(ctx, dir, total)
		if err != nil {
			return nil, err
		}
		if err := rest(ctx, settle); err != nil {
			return nil, err
		}
		buf := make([]byte, plainBuffer)
		begin := time.Now()
		for _, name := range files {
			if err := readFile(ctx, name, buf); err != nil {
				return nil, err
			}
		}
		return map[string]figure{readRate: {value: megabytes(total) / time.Since(begin).Seconds()}}, nil
	}}
}

// writePlain writes files of total bytes together and takes them out of the page cache.
func writePlain(ctx context.Context, dir string, total int64) (files []string, err error) {
	values, n := load.NewValues(seed, plainBuffer), uint64(0)
	var buf []byte
	for total > 0 {
		name := filepath.Join(dir, fmt.Sprintf("%03d", len(files)))
		f, err := os.Create(name)
		if err != nil {
			return nil, err
		}
		w, left := bufio.NewWriterSize(f, plainBuffer), min(total, plainFile)
		for total -= left; left > 0 && err == nil; n++ {
			buf = values.Fill(buf, n)
			part := buf[:min(left, plainBuffer)]
			_, err = w.Write(part)
			left -= int64(len(part))
		}
		if err = errors.Join(err, ctx.Err(), w.Flush(), f.Close()); err != nil {
			return nil, err
		}
		if err := proc.DropCache(name); err != nil {
			return nil, err
		}
		files = append(files, name)
	}
	return files, nil
}

func readFile(ctx context.Context, name string, buf []byte) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for ctx.Err() == nil {
		if _, err := f.Read(buf); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
	return ctx.Err()
}
