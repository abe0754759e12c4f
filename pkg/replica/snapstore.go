package replica

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/store"
)

// liveID names the one snapshot that is always there: the stores themselves.
const liveID = "stores"

// incomingName is the file a received snapshot is kept in until it is installed.
const incomingName = "incoming.snapshot"

// linger is how long after a snapshot was sent the log above it is kept: the follower still has to fetch that.
const linger = 30 * time.Second

// snapshotStore is a raft.SnapshotStore over the stores: what is flushed is the snapshot. Only one that another node sends
// is ever written to a file, until it is installed.
type snapshotStore struct {
	f   *fsm
	dir string // "" keeps received snapshots in memory

	mu       sync.Mutex
	received *incoming            // complete, waiting to be restored
	out      map[*outgoing]uint64 // being sent, and the index of each
	kept     uint64               // the index of the last one sent, until
	until    time.Time
}

// position returns the lowest position of the stores: the index that the group as a whole can be restored at.
func (s *snapshotStore) position() store.Position {
	if s.f.memory {
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		return s.f.pos
	}
	low := s.f.hosts[0].store.Durable()
	for _, h := range s.f.hosts[1:] {
		if p := h.store.Durable(); p.Index < low.Index {
			low = p
		}
	}
	return low
}

// floor returns the highest index that the log may be cut at: all of it is on disk in every store, and no snapshot that
// was just sent needs what follows it.
func (s *snapshotStore) floor() uint64 {
	low := s.position().Index
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, index := range s.out {
		low = min(low, index)
	}
	if s.kept != 0 && time.Now().Before(s.until) {
		low = min(low, s.kept)
	}
	return low
}

func metaOf(p store.Position) *raft.SnapshotMeta {
	return &raft.SnapshotMeta{
		Version: raft.SnapshotVersionMax, ID: liveID, Index: p.Index, Term: p.Term,
		Configuration: raft.DecodeConfiguration(p.Conf), ConfigurationIndex: p.ConfIndex,
	}
}

// List returns the snapshot at the stores' position, or nothing while they have none.
func (s *snapshotStore) List() ([]*raft.SnapshotMeta, error) {
	p := s.position()
	if p.Index == 0 || len(p.Conf) == 0 {
		return nil, nil
	}
	return []*raft.SnapshotMeta{metaOf(p)}, nil
}

// Create begins a snapshot of this node, to which nothing is written, or one that the leader sends.
func (s *snapshotStore) Create(v raft.SnapshotVersion, index, term uint64, conf raft.Configuration, confIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	return &incoming{s: s, meta: raft.SnapshotMeta{
		Version: v, ID: liveID, Index: index, Term: term, Configuration: conf, ConfigurationIndex: confIndex,
	}}, nil
}

// Open returns a received snapshot, or streams the stores.
func (s *snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if id == liveID {
		return s.openLive()
	}
	s.mu.Lock()
	in := s.received
	s.received = nil
	s.mu.Unlock()
	if in == nil || in.meta.ID != id {
		return nil, nil, fmt.Errorf("snapshot %s is not there", id)
	}
	return in.open()
}

// openLive pins a view of every store and streams them. The snapshot's index is the lowest of theirs.
func (s *snapshotStore) openLive() (*raft.SnapshotMeta, io.ReadCloser, error) {
	o := &outgoing{s: s, done: make(chan struct{})}
	var low store.Position
	s.f.mu.Lock()
	for i, h := range s.f.hosts {
		v := h.store.PinFlushed()
		o.views = append(o.views, v)
		if p := v.Position(); i == 0 || p.Index < low.Index {
			low = p
		}
	}
	s.f.mu.Unlock()
	if low.Index == 0 || len(low.Conf) == 0 {
		o.release()
		return nil, nil, errors.New("the stores have not been flushed yet")
	}
	s.mu.Lock()
	if s.out == nil {
		s.out = make(map[*outgoing]uint64)
	}
	s.out[o] = low.Index
	s.mu.Unlock()
	parts := make([]part, len(o.views))
	for i, v := range o.views {
		size, err := v.StreamSize()
		if err != nil {
			o.forget(0)
			o.release()
			return nil, nil, fmt.Errorf("measure the store of engine %s: %w", s.f.hosts[i].machine.Engine(), err)
		}
		parts[i] = part{id: s.f.hosts[i].machine.Engine(), size: size, write: v.WriteTo}
	}
	meta := metaOf(low)
	meta.Size = snapshotSize(parts)
	r, w := io.Pipe()
	o.pipe = r
	go func() {
		defer close(o.done)
		_ = w.CloseWithError(writeSnapshot(w, parts)) // reaches the reader
	}()
	return meta, o, nil
}

// outgoing streams the stores to a follower.
type outgoing struct {
	s     *snapshotStore
	views []*store.View
	pipe  *io.PipeReader
	done  chan struct{}
	once  sync.Once
}

// Read reads the stream.
func (o *outgoing) Read(p []byte) (int, error) { return o.pipe.Read(p) }

// Close ends the stream and releases the views.
func (o *outgoing) Close() error {
	o.once.Do(func() {
		_ = o.pipe.CloseWithError(errStopping)
		<-o.done
		o.forget(linger)
		o.release()
	})
	return nil
}

// forget lets the log be cut again, after keep.
func (o *outgoing) forget(keep time.Duration) {
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	if keep > 0 {
		o.s.kept, o.s.until = o.s.out[o], time.Now().Add(keep)
	}
	delete(o.s.out, o)
}

func (o *outgoing) release() {
	for _, v := range o.views {
		v.Close()
	}
}

// incoming is a raft.SnapshotSink. The first Write makes it a received snapshot.
type incoming struct {
	s    *snapshotStore
	meta raft.SnapshotMeta
	file *os.File
	mem  *bytes.Buffer
}

// ID names the snapshot: the stores themselves unless something was written.
func (in *incoming) ID() string { return in.meta.ID }

// Write takes a piece of the leader's stream.
func (in *incoming) Write(p []byte) (int, error) {
	if in.file == nil && in.mem == nil {
		in.meta.ID = fmt.Sprintf("received-%d-%d", in.meta.Term, in.meta.Index)
		if in.s.dir == "" {
			in.mem = &bytes.Buffer{}
		} else {
			f, err := os.OpenFile(filepath.Join(in.s.dir, incomingName), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
			if err != nil {
				return 0, fmt.Errorf("receive a snapshot: %w", err)
			}
			in.file = f
		}
	}
	in.meta.Size += int64(len(p))
	if in.mem != nil {
		return in.mem.Write(p)
	}
	return in.file.Write(p)
}

// Close makes a received snapshot ready to be restored. It need not be synced: until it is installed, the old state stands.
func (in *incoming) Close() error {
	if in.file != nil || in.mem != nil {
		in.s.mu.Lock()
		in.s.received = in
		in.s.mu.Unlock()
	}
	return nil
}

// Cancel drops what was received.
func (in *incoming) Cancel() error {
	if in.file == nil {
		return nil
	}
	return errors.Join(in.file.Close(), os.Remove(in.file.Name()))
}

// open returns the stream from its beginning; closing it removes the file.
func (in *incoming) open() (*raft.SnapshotMeta, io.ReadCloser, error) {
	if in.mem != nil {
		return &in.meta, io.NopCloser(in.mem), nil
	}
	if _, err := in.file.Seek(0, io.SeekStart); err != nil {
		return nil, nil, errors.Join(err, in.Cancel())
	}
	return &in.meta, &spool{in}, nil
}

// spool reads a received snapshot once.
type spool struct{ in *incoming }

// Read reads from the file.
func (s *spool) Read(p []byte) (int, error) { return s.in.file.Read(p) }

// Close removes the file.
func (s *spool) Close() error { return s.in.Cancel() }
