package replica

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// walMeta is the file in which raft-wal keeps the list of its segments.
const walMeta = "wal-meta.db"

// mendLog puts right, before raft-wal sees the log, what raft-wal 0.4.1 does not when it opens the last segment.
func mendLog(cfg *Config) (err error) {
	if _, err := os.Stat(filepath.Join(cfg.Dir, walMeta)); errors.Is(err, os.ErrNotExist) {
		return nil // a new log
	}
	var meta metadb.BoltMetaDB
	state, err := meta.Load(cfg.Dir)
	if err != nil {
		return fmt.Errorf("load the list of segments: %w", err)
	}
	defer func() { err = errors.Join(err, meta.Close()) }()
	if len(state.Segments) == 0 {
		return nil
	}
	tail := state.Segments[len(state.Segments)-1]
	if !tail.SealTime.IsZero() {
		return nil
	}
	f, err := cfg.vfs.OpenWriter(cfg.Dir, segment.FileName(tail))
	if errors.Is(err, os.ErrNotExist) {
		return nil // its file was never made: raft-wal makes it
	}
	if err != nil {
		return fmt.Errorf("open the last segment: %w", err)
	}
	if err := errors.Join(mendTail(f, tail.BaseIndex, cfg.Log), f.Close()); err != nil {
		return fmt.Errorf("segment %s: %w", segment.FileName(tail), err)
	}
	return resumeRotation(&meta, state, segment.NewFiler(cfg.Dir, cfg.vfs))
}

// resumeRotation ends the rotation of a segment that a crash cut off. The append that fills a segment seals it, and
// another goroutine of raft-wal enters the next segment into the list some milliseconds later. raft-wal 0.4.1 does not
// look for the state between the two when it opens a log: it takes the sealed segment for the tail and refuses every
// append for ever. So before raft-wal sees such a log, the entries of its tail are copied into a segment with room. They
// are copied, not entered as sealed, because after a power cut the seal may belong to an append that was torn and undone.
func resumeRotation(meta types.MetaStore, state types.PersistentState, filer *segment.Filer) (err error) {
	tail := &state.Segments[len(state.Segments)-1]
	w, err := filer.RecoverTail(*tail)
	if err != nil {
		return fmt.Errorf("recover the last segment: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if sealed, _, err := w.Sealed(); err != nil || !sealed {
		return err
	}
	fresh := types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: tail.MinIndex, MinIndex: tail.MinIndex,
		Codec: tail.Codec, SizeLimit: roomFor(tail.SizeLimit), CreateTime: time.Now(),
	}
	if err := copySegment(filer, w, fresh); err != nil {
		return fmt.Errorf("copy the last segment: %w", err)
	}
	*tail = fresh
	state.NextSegmentID++
	if err := meta.CommitState(state); err != nil {
		return fmt.Errorf("enter the copy of the last segment into the list: %w", err)
	}
	return nil // raft-wal removes the file that is not in the list any more
}

// roomFor returns a limit that the content of a segment with the given one does not reach: the last append may have
// gone past it by one command.
func roomFor(limit uint32) uint32 { return 2*limit + 2*wire.MaxCommand }

// copySegment makes the segment to and appends what is in from, from to's first index on.
func copySegment(filer *segment.Filer, from types.SegmentWriter, to types.SegmentInfo) (err error) {
	if err := filer.Delete(to.BaseIndex, to.ID); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // left by an attempt that was cut off in its turn
	}
	w, err := filer.Create(to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	var entries []types.LogEntry
	for i := to.BaseIndex; i <= from.LastIndex(); i++ {
		b, err := from.GetLog(i)
		if err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		entries = append(entries, types.LogEntry{Index: i, Data: bytes.Clone(b.Bs)})
		if err := b.Close(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	if len(entries) == 0 {
		return nil
	}
	return w.Append(entries)
}
