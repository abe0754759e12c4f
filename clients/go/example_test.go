package flin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

func Example() {
	opts := flin.DefaultOptions("localhost:7380")
	client, _ := flin.NewClient(opts)
	defer client.Close()
	client.KV.Set("user:1", []byte("John Doe"))
	value, _ := client.KV.Get("user:1")
	client.KV.Delete("user:1")
	client.KV.MSet([]string{"k1", "k2"}, [][]byte{[]byte("v1"), []byte("v2")})
	values, _ := client.KV.MGet([]string{"k1", "k2"})
	fmt.Printf("%s %s\n", value, values)
	client.Queue.Push("tasks", []byte("Task 1"))
	client.Queue.Push("tasks", []byte("Task 2"))
	msg, _ := client.Queue.Pop("tasks")
	fmt.Printf("Received: %s\n", string(msg))
	client.Stream.CreateTopic("events", 4, 7*24*60*60*1000)
	client.Stream.Publish("events", -1, "user123", []byte(`{"action":"login"}`))
	client.Stream.Subscribe("events", "processors", "worker-1")
	messages, _ := client.Stream.Consume("events", "processors", "worker-1", 10)
	for _, msg := range messages {
		fmt.Printf("Partition %d, Offset %d: %s\n", msg.Partition, msg.Offset, msg.Value)
		client.Stream.Commit("events", "processors", msg.Partition, msg.Offset+1)
	}
}

func ExampleIfVersion() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for { // until nobody else was faster
		entry, err := client.KV.Entry("config")
		if err != nil {
			panic(err)
		}
		_, err = client.KV.Put("config", append(entry.Value, '!'), flin.IfVersion(entry.Version))
		if err == nil {
			break
		}
	}
}

func ExampleKV_Txn() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	from, _ := client.KV.Entry("account:1")
	results, err := client.KV.Txn().
		IfVersion("account:1", from.Version).
		IncrBy("account:1", -10).
		IncrBy("account:2", 10).
		Commit()
	if err == nil {
		fmt.Println(results[0].Num, results[1].Num)
	}
}

func ExampleKV_Scan() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for entry, err := range client.KV.Scan("user:") {
		if err != nil {
			panic(err)
		}
		fmt.Println(entry.Key, entry.Version, len(entry.Value))
	}
}

func ExampleKV_Watch() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	watcher, err := client.KV.Watch(ctx, "user:")
	if err != nil {
		panic(err)
	}
	for event, err := range watcher.Events() {
		if err != nil {
			break
		}
		fmt.Println(event.Kind, event.Key, event.Version)
	}
}

func ExampleQueue_Lease() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	msg, err := client.Queue.Lease("tasks", flin.Wait(20*time.Second), flin.For(time.Minute))
	if err != nil {
		panic(err)
	}
	fmt.Println(msg.ID, msg.Attempt, string(msg.Body))
	if err := msg.Ack(); errors.Is(err, flin.ErrFenced) {
		fmt.Println("too late: somebody else has it")
	}
}

func ExampleQueue_Receive() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err = client.Queue.Receive(ctx, "tasks", func(_ context.Context, msg *flin.Message) error {
		switch {
		case len(msg.Body) == 0:
			return flin.ErrReject // nobody can deal with it
		case msg.Attempt == 1:
			return flin.RetryAfter(time.Minute, errors.New("not yet"))
		}
		return nil
	}, flin.Concurrency(8), flin.DrainTimeout(10*time.Second))
	if err != nil {
		panic(err)
	}
}

func ExampleStream_Producer() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	producer, err := client.Stream.Producer("events", flin.Compression(flin.Zstd))
	if err != nil {
		panic(err)
	}
	for i := range 1000 {
		event := flin.Record{Key: fmt.Appendf(nil, "user%d", i%10), Value: []byte("login")}
		err := producer.Send(flin.AnyPartition, event, func(at flin.Position, err error) {
			if err != nil {
				fmt.Println("not stored:", err)
			}
		})
		if err != nil {
			panic(err)
		}
	}
	if err := producer.Close(); err != nil { // when it returns all are stored
		panic(err)
	}
}

func ExampleStream_Reader() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	reader, err := client.Stream.Reader("events", "processors")
	if err != nil {
		panic(err)
	}
	defer reader.Close() // commits, and leaves the group
	for event, err := range reader.Records(ctx) {
		if err != nil {
			break
		}
		fmt.Println(event.Partition, event.Offset, string(event.Key), string(event.Value))
	}
}
