package freeport

import (
	"net"
	"testing"
)

func TestPortsCanBeListenedOnAndAreNotGivenTwice(t *testing.T) {
	given := map[int]bool{}
	for range 50 {
		port, err := Take()
		if err != nil {
			t.Fatal(err)
		}
		if given[port] || port < first || port >= first+count {
			t.Errorf("port %d was given again, or is out of the range", port)
		}
		given[port] = true
		ln, err := net.Listen("tcp", Address(port))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
	}
}
