//go:build peers

package systest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"testing"
)

// The package index goes in through the redis-cli --pipe that the machine has.
func TestPackageIndexThroughRedisCLI(t *testing.T) {
	records := packages(t)
	s := start(t)
	var stream bytes.Buffer
	for _, r := range records {
		fmt.Fprintf(&stream, "*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(r.name), r.name, len(r.text), r.text)
	}
	host, port, err := net.SplitHostPort(s.port)
	if err != nil {
		t.Fatal(err)
	}
	load := exec.Command("redis-cli", "-h", host, "-p", port, "--pipe")
	load.Stdin = &stream
	out, err := load.CombinedOutput()
	if err != nil {
		t.Fatalf("redis-cli --pipe: %v\n%s", err, out)
	}
	if want := fmt.Sprintf("errors: 0, replies: %d", len(records)); !strings.Contains(string(out), want) {
		t.Errorf("redis-cli --pipe says\n%s\nwithout %q", out, want)
	}
	all := func(int) bool { return true }
	readBack(t, s.port, records, all)
	s.kill()
	s.launch()
	readBack(t, s.port, records, all)
}
