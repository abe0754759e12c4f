// Natsmap answers requests over NATS out of a map in memory: the least that a key-value store behind plain request and reply
// can do, for the rows that compare the bus with it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/skshohagmiah/flin/benchmarks/driver"
)

func main() {
	url := flag.String("nats", "", "`address` of the NATS server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := driver.AnswerNATS(ctx, *url); err != nil {
		fmt.Fprintln(os.Stderr, "natsmap:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}
