package replica

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/metadb"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
)

// walMeta is the file in which raft-wal keeps the list of its segments.
const walMeta = "wal-meta.db"

// resumeRotation ends the rotation of a segment that a crash cut off. The append that fills a segment seals it, and
// another goroutine of raft-wal enters the next segment into the list some milliseconds later. raft-wal 0.4.1 does not
// look for the state between the two when it opens a log: it takes the sealed segment for the tail and refuses every
// append for ever. So the list is brought to where it was going before raft-wal sees it.
func resumeRotation(dir string, vfs types.VFS) (err error) {
	if _, err := os.Stat(filepath.Join(dir, walMeta)); errors.Is(err, os.ErrNotExist) {
		return nil // a new log
	}
	if vfs == nil {
		vfs = fs.New()
	}
	var meta metadb.BoltMetaDB
	state, err := meta.Load(dir)
	if err != nil {
		return fmt.Errorf("load the list of segments: %w", err)
	}
	defer func() { err = errors.Join(err, meta.Close()) }()
	if len(state.Segments) == 0 {
		return nil
	}
	tail := &state.Segments[len(state.Segments)-1]
	if !tail.SealTime.IsZero() {
		return nil
	}
	w, err := segment.NewFiler(dir, vfs).RecoverTail(*tail)
	if errors.Is(err, os.ErrNotExist) {
		return nil // its file was never made: raft-wal makes it
	}
	if err != nil {
		return fmt.Errorf("recover the last segment: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	sealed, indexStart, err := w.Sealed()
	if err != nil || !sealed {
		return err
	}
	now := time.Now()
	tail.SealTime, tail.MaxIndex, tail.IndexStart = now, w.LastIndex(), indexStart
	state.Segments = append(state.Segments, types.SegmentInfo{
		ID: state.NextSegmentID, BaseIndex: tail.MaxIndex + 1, MinIndex: tail.MaxIndex + 1,
		Codec: tail.Codec, SizeLimit: tail.SizeLimit, CreateTime: now,
	})
	state.NextSegmentID++
	if err := meta.CommitState(state); err != nil {
		return fmt.Errorf("enter the next segment into the list: %w", err)
	}
	return nil
}
