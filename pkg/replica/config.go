package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Config shapes a Group. It is read once, by Open. Start from Default.
type Config struct {
	// Dir is the group's folder (raft/<name>), created if missing. It belongs to the group alone. Ignored with Memory.
	Dir string
	// Name is what the group is called in preambles, directories and metrics: "all-0", "kv-0".
	Name string
	// NodeID names this node in its cluster. It is stamped into Dir together with a random incarnation; a Dir of another
	// node is refused.
	NodeID string
	// ClusterID is stamped into Dir; a Dir of another cluster is refused. Empty takes the stamped one, or a random one
	// for a new Dir.
	ClusterID string
	// Memory keeps the log in memory: nothing survives the process.
	Memory bool
	// Bootstrap lets a Dir without state begin a new group with this node as its only voter. Without it such a node waits
	// until a leader adds it. It means nothing to a Dir with state.
	Bootstrap bool
	// Transport connects the nodes of the group. nil: the group can only have this one node.
	Transport *Mux
	// Advertise is the host:port under which the other nodes reach Transport. Default: the listener's address.
	Advertise string
	// Log takes what the group and Raft have to say. Default: nothing is logged.
	Log *zap.Logger
	// OnFault is called once, from any goroutine, when the process must end: a failed fsync, a hung disk, a corrupt entry,
	// a machine's fault. It must not block and not call back. Nothing is applied or acknowledged after it. Default: panic.
	OnFault func(error)

	// Turns is told of each write of the log, so that others let it use the disk first. Default: nobody is.
	Turns *disk.Turns
	// SegmentSize is the bytes of one file of the log; files are allocated whole.
	SegmentSize int
	// SnapshotBytes is how far the log grows, in bytes, before the stores are flushed and it is cut.
	SnapshotBytes int64
	// TrailingBytes is how much of the log is kept below the cut for followers that lag, while there are other nodes. With
	// Memory it is CacheBytes at most.
	TrailingBytes int64
	// CacheBytes bounds the recent entries kept in memory for followers, while there are other nodes.
	CacheBytes int64
	// EntryBytes is the size at which an entry closes. A larger command has an entry of its own.
	EntryBytes int
	// InFlight is how many entries may be under way at once.
	InFlight int
	// MaxPending bounds the bytes of commands that wait for an entry. Over it a command is answered Busy.
	MaxPending int64
	// Patience is how long a command without a deadline waits for a leader.
	Patience time.Duration
	// Stall is how long one write to the log may take before the disk counts as hung and the process ends.
	Stall time.Duration
	// Heartbeat and Lease are Raft's timings with more than one node: how long followers wait for a sign of the leader, and
	// how long a leader goes on without hearing a majority. With a single node both are 100 ms.
	Heartbeat, Lease time.Duration

	vfs  types.VFS        // the log's file system; nil is the real one
	wall func() time.Time // the wall clock; nil is time.Now
}

// Default returns the Config of a group that begins by itself. Name, NodeID and, without Memory, Dir are to be filled in.
func Default() Config {
	return Config{
		Bootstrap:     true,
		SegmentSize:   16 << 20,
		SnapshotBytes: 64 << 20,
		TrailingBytes: 128 << 20,
		CacheBytes:    32 << 20,
		EntryBytes:    512 << 10,
		InFlight:      4,
		MaxPending:    256 << 20,
		Patience:      5 * time.Second,
		Stall:         20 * time.Second,
		Heartbeat:     800 * time.Millisecond,
		Lease:         500 * time.Millisecond,
	}
}

// Validate returns all complaints about c at once.
func (c Config) Validate() error {
	var errs []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("replica: "+format, args...))
		}
	}
	complain(!c.Memory && c.Dir == "", "Dir is empty")
	complain(!validName(c.Name, 64), "Name %q is not 1 to 64 of A-Z a-z 0-9 . _ -", c.Name)
	complain(!validName(c.NodeID, 64), "NodeID %q is not 1 to 64 of A-Z a-z 0-9 . _ -", c.NodeID)
	complain(c.ClusterID != "" && !validName(c.ClusterID, 64), "ClusterID %q is not 1 to 64 of A-Z a-z 0-9 . _ -", c.ClusterID)
	complain(c.SegmentSize < 64<<10 || c.SegmentSize > 1<<30, "SegmentSize of %d bytes is not in 64 KiB to 1 GiB", c.SegmentSize)
	complain(c.SnapshotBytes < 1, "SnapshotBytes of %d is not positive", c.SnapshotBytes)
	complain(c.TrailingBytes < 0, "TrailingBytes of %d is negative", c.TrailingBytes)
	complain(c.CacheBytes < 0, "CacheBytes of %d is negative", c.CacheBytes)
	complain(c.EntryBytes < 1<<10 || c.EntryBytes > wire.MaxCommand, "EntryBytes of %d is not in 1 KiB to %d", c.EntryBytes, wire.MaxCommand)
	complain(c.InFlight < 1 || c.InFlight > 16, "InFlight of %d is not in 1 to 16", c.InFlight)
	complain(c.MaxPending < wire.MaxCommand, "MaxPending of %d bytes is under the %d of one command", c.MaxPending, wire.MaxCommand)
	complain(c.Patience <= 0, "Patience of %s is not positive", c.Patience)
	complain(c.Stall <= 0, "Stall of %s is not positive", c.Stall)
	complain(c.Lease < 5*time.Millisecond || c.Lease > c.Heartbeat, "Lease of %s is not in 5 ms to the Heartbeat of %s", c.Lease, c.Heartbeat)
	return errors.Join(errs...)
}

// validName reports whether s can stand in a preamble, in a server id and in a path.
func validName(s string, limit int) bool {
	if s == "" || len(s) > limit || s == "." || s == ".." {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
