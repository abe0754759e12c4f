package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	defaultBatch    = 256 << 10
	defaultPending  = 32 << 20
	defaultDelivery = 2 * time.Minute
)

// ProducerOption modifies Producer.
type ProducerOption interface{ producer(p *Producer) }

type producerFunc func(p *Producer)

func (f producerFunc) producer(p *Producer) { f(p) }

// Linger lets a batch that is not full wait for d, so that more records share it. By default it does not wait, but while other batches
// are on their way it gathers what comes: under load batches are large in any case.
func Linger(d time.Duration) ProducerOption {
	return producerFunc(func(p *Producer) { p.linger = max(d, 0) })
}

// MaxBatch bounds how many bytes of records one batch has before it is compressed, 1 KiB to 8 MiB: by default 256 KiB. A larger record is
// a batch by itself.
func MaxBatch(bytes int) ProducerOption {
	return producerFunc(func(p *Producer) { p.maxBatch = min(max(bytes, 1<<10), wire.MaxRecord) })
}

// MaxPending bounds how many bytes of records may wait to be stored, by default 32 MiB: Send waits while there are more.
func MaxPending(bytes int) ProducerOption {
	return producerFunc(func(p *Producer) { p.maxPending = max(bytes, 1) })
}

// DeliveryTimeout is how long records are sent again and again before they are given up, by default 2 minutes.
func DeliveryTimeout(d time.Duration) ProducerOption {
	return producerFunc(func(p *Producer) { p.timeout = max(d, time.Millisecond) })
}

func (o CompressionOption) producer(p *Producer) { p.codec = o.codec }
