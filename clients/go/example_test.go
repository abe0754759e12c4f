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
	id, _ := client.DB.Insert("users", map[string]interface{}{"name": "John Doe", "email": "john@example.com", "age": 30}) //nolint:modernize // the reference program, word for word
	users, _ := client.DB.Query("users").Where("age", flin.Gte, 18).Where("status", flin.Eq, "active").OrderBy("created_at", flin.Desc).Skip(0).Take(10).Exec()
	client.DB.Update("users").Where("email", flin.Eq, "john@example.com").Set("age", 31).Set("verified", true).Exec()
	client.DB.Delete("users").Where("status", flin.Eq, "inactive").Exec()
	fmt.Println(id, users)
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

func ExampleDB_Watch() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var token string // kept from the last time; empty: from now on
	watcher, err := client.DB.Watch(ctx, "users", flin.ResumeAfter(token))
	if errors.Is(err, flin.ErrCompacted) {
		watcher, err = client.DB.Watch(ctx, "users") // and now the users are to be read anew
	}
	if err != nil {
		panic(err)
	}
	for change, err := range watcher.Changes() {
		if err != nil {
			break
		}
		fmt.Println(change.Kind == flin.DocumentDeleted, change.ID, change.Document["email"])
		token = change.Token
	}
	fmt.Println("go on behind", token)
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

func ExampleCollectionOf() {
	type user struct {
		ID    flin.ObjectID `bson:"_id,omitempty"`
		Email string        `bson:"email"`
		Age   int           `bson:"age"`
	}
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	if _, err := client.DB.CreateIndex("users", []string{"email"}, flin.Unique()); err != nil {
		panic(err)
	}
	users := flin.CollectionOf[user](client.DB, "users")
	_, err = users.Insert(user{Email: "john@example.com", Age: 30})
	if errors.Is(err, flin.ErrExists) {
		fmt.Println("he is there already")
	}
	for u, err := range users.Query().Where("age", flin.Gte, 18).OrderBy("age", flin.Desc).Iter() {
		if err != nil {
			panic(err)
		}
		fmt.Println(u.ID, u.Email, u.Age)
	}
}

func ExampleDB_Aggregate() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	for section, err := range client.DB.Aggregate("packages", []flin.D{
		{{Key: "$match", Value: flin.Document{"size": flin.Document{"$gt": 1000}}}},
		{{Key: "$group", Value: flin.Document{"_id": "$section", "packages": flin.Document{"$sum": 1}}}},
		{{Key: "$sort", Value: flin.D{{Key: "packages", Value: -1}, {Key: "_id", Value: 1}}}},
	}) {
		if err != nil {
			panic(err)
		}
		fmt.Println(section["_id"], section["packages"])
	}
}

func ExampleBatch() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	db := client.DB
	result, err := db.Batch(). // all of it or nothing
					Insert("orders", flin.Document{"sku": "a-1", "n": 2}).
					Update(db.Update("stock").Where("sku", flin.Eq, "a-1").Inc("left", -2)).
					Delete(db.Delete("carts").Where("user", flin.Eq, 7)).
					Exec()
	if err != nil {
		panic(err)
	}
	fmt.Println(result.Inserted, result.Modified, result.Deleted)
}

func ExampleDB_Transaction() {
	client, err := flin.NewClient(nil)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	type account struct {
		ID      string `bson:"_id"`
		Balance int64  `bson:"balance"`
	}
	errBroke := errors.New("there is not enough")
	err = client.DB.Transaction(func(tx *flin.DB) error { // it may run more than once
		accounts := flin.CollectionOf[account](tx, "accounts")
		john, err := accounts.Get("john")
		if err != nil {
			return err
		}
		if john.Balance < 10 {
			return errBroke
		}
		if _, err := accounts.Update().Where("_id", flin.Eq, "john").Inc("balance", -10).Exec(); err != nil {
			return err
		}
		_, err = accounts.Update().Where("_id", flin.Eq, "jane").Inc("balance", 10).Exec()
		return err
	})
	if errors.Is(err, errBroke) {
		fmt.Println(err) // nothing was done
	}
}
