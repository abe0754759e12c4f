package replica

import (
	"errors"
	"net"
	"testing"

	"github.com/hashicorp/raft"
)

func TestNoHeartbeatIsHandledAfterTheTransportIsClosed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	defer ln.Close()
	cfg, _ := testConfig(t, "a")
	cfg.Transport = NewMux(ln, MuxConfig{})
	g := &Group{cfg: cfg, log: cfg.Log, ident: identity{Node: "a", Incarnation: "1", Cluster: "test"}, server: "a/1"}
	trans, err := g.transport()
	ok(t, err)
	handled := 0
	heartbeat := trans.(*peers).untilClosed(func(rpc raft.RPC) {
		handled++
		rpc.Respond(nil, nil)
	})
	beat := func() error {
		answer := make(chan raft.RPCResponse, 1)
		heartbeat(raft.RPC{RespChan: answer})
		return (<-answer).Error
	}
	if err := beat(); err != nil || handled != 1 {
		t.Fatalf("%d heartbeats were handled, %v", handled, err)
	}
	ok(t, trans.Close())
	if err := beat(); !errors.Is(err, raft.ErrRaftShutdown) || handled != 1 {
		t.Fatalf("after Close %d heartbeats were handled, %v", handled, err)
	}
}
