package flin_test

import (
	"context"
	"fmt"
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
