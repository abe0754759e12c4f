package systest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// reference is the clients' reference program, word for word, with a use of value, values, id and users, which Go demands.
const reference = `package main

import (
	"fmt"

	"github.com/skshohagmiah/flin/clients/go"
)

func main() {
opts := flin.DefaultOptions("localhost:7380")
client, _ := flin.NewClient(opts)
defer client.Close()
client.KV.Set("user:1", []byte("John Doe"))
value, _ := client.KV.Get("user:1")
client.KV.Delete("user:1")
client.KV.MSet([]string{"k1", "k2"}, [][]byte{[]byte("v1"), []byte("v2")})
values, _ := client.KV.MGet([]string{"k1", "k2"})
fmt.Printf("%s\n%s\n", value, values)
client.Queue.Push("tasks", []byte("Task 1"))
client.Queue.Push("tasks", []byte("Task 2"))
msg, _ := client.Queue.Pop("tasks")
fmt.Printf("Received: %s\n", string(msg))
client.Stream.CreateTopic("events", 4, 7*24*60*60*1000)
client.Stream.Publish("events", -1, "user123", []byte(` + "`" + `{"action":"login"}` + "`" + `))
client.Stream.Subscribe("events", "processors", "worker-1")
messages, _ := client.Stream.Consume("events", "processors", "worker-1", 10)
for _, msg := range messages {
	fmt.Printf("Partition %d, Offset %d: %s\n", msg.Partition, msg.Offset, msg.Value)
	client.Stream.Commit("events", "processors", msg.Partition, msg.Offset+1)
}
id, _ := client.DB.Insert("users", map[string]interface{}{"name": "John Doe", "email": "john@example.com", "age": 30})
users, _ := client.DB.Query("users").Where("age", flin.Gte, 18).Where("status", flin.Eq, "active").OrderBy("created_at", flin.Desc).Skip(0).Take(10).Exec()
client.DB.Update("users").Where("email", flin.Eq, "john@example.com").Set("age", 31).Set("verified", true).Exec()
client.DB.Delete("users").Where("status", flin.Eq, "inactive").Exec()
fmt.Println(id, users)
}
`

// The reference program, but for the server's address, compiles and prints what it should.
func TestTheReferenceProgram(t *testing.T) {
	s := start(t)
	dir := t.TempDir()
	text := strings.ReplaceAll(reference, "localhost:7380", s.port)
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", filepath.Join(dir, "main.go"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const partition = 1 // where Kafka's clients put user123, too
	client := newClient(t, s.addrs())
	john, err := client.DB.Query("users").First()
	if err != nil {
		t.Fatalf("who was inserted: %v", err)
	}
	// Nobody is active: the insert says nothing of a status.
	want := fmt.Sprintf("John Doe\n[v1 v2]\nReceived: Task 1\nPartition %d, Offset 0: {\"action\":\"login\"}\n%v []\n", partition, john["_id"])
	if got := string(out); got != want {
		t.Errorf("it prints %q, not %q", got, want)
	}
	id, ok := john["_id"].(flin.ObjectID)
	left := flin.Document{"_id": id, "name": "John Doe", "email": "john@example.com", "age": int32(31), "verified": true}
	if !ok || !reflect.DeepEqual(john, left) {
		t.Errorf("the document is %v, not %v", john, left)
	}
	if n, err := client.DB.Query("users").Count(); err != nil || n != 1 {
		t.Errorf("there are %d documents, %v", n, err)
	}
	if there, err := client.KV.Exists("user:1"); err != nil || there {
		t.Errorf("the deleted key: %v, %v", there, err)
	}
	values, err := client.KV.MGet([]string{"k1", "user:1", "k2"})
	if err != nil || len(values) != 3 || string(values[0]) != "v1" || values[1] != nil || string(values[2]) != "v2" {
		t.Errorf("what it left: %q, %v", values, err)
	}
	if left, err := client.Queue.Len("tasks"); err != nil || left != 1 {
		t.Errorf("the queue holds %d messages, %v", left, err)
	}
	if second, err := client.Queue.Pop("tasks"); err != nil || string(second) != "Task 2" {
		t.Errorf("the second task: %q, %v", second, err)
	}
	group, err := client.Stream.Group("processors")
	if err != nil || len(group.Members) != 1 || group.Members[0].Name != "worker-1" || len(group.Partitions) != 4 {
		t.Fatalf("the group: %+v, %v", group, err)
	}
	for _, p := range group.Partitions {
		if p.Partition == partition && p.Committed != 1 || p.Lag != 0 {
			t.Errorf("what it has committed: %+v", p)
		}
	}
}
