// Dbload puts a document server under load through Flin's client: inserts, finds by _id and by an indexed field, ranges in order,
// updates and deletions, one document a call. It is what db-throughput.sh runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/phase"
)

const (
	fillers  = 16  // goroutines that put in what finds need
	fillStep = 100 // documents that each of them sends at once
	largest  = 64 << 10
)

func main() {
	var o phase.Options
	o.Flags("document", "document")
	least := flag.Uint64("least", 100_000, "`documents` that finds need: what is missing after the inserts is put in")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, &o, *least); err != nil {
		fmt.Fprintln(os.Stderr, "dbload:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func run(ctx context.Context, out io.Writer, o *phase.Options, least uint64) (err error) {
	if err := o.Validate(); err != nil {
		return err
	}
	if o.Size < driver.MinDocument || o.Size > largest {
		return fmt.Errorf("-document %d: choose from %d to %d", o.Size, driver.MinDocument, largest)
	}
	if least < driver.MinRanged || least > 100_000_000 {
		return fmt.Errorf("-least %d: choose from %d to 100000000", least, driver.MinRanged)
	}
	maker, err := driver.NewDocuments(uint64(time.Now().UnixNano()), o.Size)
	if err != nil {
		return err
	}
	docs, err := driver.FlinDocs(o.Addr)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", o.Addr, err)
	}
	defer func() { err = errors.Join(err, docs.Close()) }()
	if err := docs.Index(driver.FieldUID); err != nil {
		return fmt.Errorf("make an index: %w", err)
	}
	w := &driver.DocWork{Docs: docs, Make: maker}
	abort := func() { _ = docs.Close() }
	fmt.Fprintf(out, "%d callers, documents of %d B with 10 fields, one of them indexed (from range on two), %v s a phase\n\n", o.Clients, o.Size, o.Seconds)
	const rate = "docs/s"
	return phase.Run(ctx, out, o, []phase.Phase{
		{Name: "insert", Unit: rate, Goal: 76_000, Op: w.Insert, After: w.CheckCount},
		{Name: "find _id", Unit: rate, Op: w.FindID, Before: func(ctx context.Context) error {
			_, err := load.Run(ctx, load.Config{Workers: fillers, Op: w.Fill(fillStep, least+fillStep), Abort: abort})
			return err
		}},
		{Name: "find index", Unit: rate, Op: w.FindUID},
		{Name: "range", Unit: "ops/s", Op: w.Range, Before: func(context.Context) error { return docs.Index(driver.FieldRank) }},
		{Name: "update", Unit: rate, Op: w.UpdateUID},
		{Name: "delete", Unit: rate, Op: w.DeleteID, After: w.CheckCount},
	}, abort)
}
