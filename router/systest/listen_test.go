package systest

import (
	"net"
	"testing"
)

func TestAServerListensOnEveryAddressAsItDoesWithoutFlags(t *testing.T) {
	inOneProcess(t)
	_, raft, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, "-raft=:"+raft) // the default has no host either
	if err := s.stop(); err != nil {
		t.Fatalf("the server ended with %v", err)
	}
	s.launch() // its group was made under an address that must still do
}
