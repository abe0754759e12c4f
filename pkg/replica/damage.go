package replica

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/segment"
)

// remedy adds what to do about a log that cannot be read.
func remedy(err error) error {
	return fmt.Errorf("%w; this node's log is damaged: restore its data folder from a backup, or empty it and join the group anew so that it is copied from the other nodes", err)
}

// openWAL opens the files of the log. It turns the panics with which raft-wal meets some damaged files into errors.
func openWAL(cfg *Config) (w *wal.WAL, err error) {
	defer func() {
		switch r := recover(); {
		case r != nil:
			err = remedy(fmt.Errorf("%w: %v", wal.ErrCorrupt, r))
		case errors.Is(err, wal.ErrCorrupt):
			err = remedy(err)
		case err != nil:
			err = fmt.Errorf("%w; if its files are damaged, restore the data folder from a backup, or empty it and join the group anew", err)
		}
	}()
	if err := mendLog(cfg); err != nil {
		return nil, err
	}
	return wal.Open(cfg.Dir, func(w *wal.WAL) {
		wal.WithSegmentSize(cfg.SegmentSize)(w)
		wal.WithLogger(newHclog(cfg.Log.Named("wal"), false))(w)
		wal.WithSegmentFiler(segment.NewFiler(cfg.Dir, cfg.vfs))(w)
	})
}

// GetLog reads one entry, from memory if it is recent. An entry that cannot be read, or is not the one asked for, is a
// fault, unless Raft is just being started: then starting it fails. Told the error while it applies the log, Raft would
// panic, and the process would end with a trace where the reason belongs: so that gets a command without bytes instead,
// which the machines' goroutine refuses. Nobody else may get that: it would be sent to other nodes.
func (s *logStore) GetLog(index uint64, l *raft.Log) error {
	if s.recent.get(index, l) {
		return nil
	}
	err := s.read(index, l)
	if err == nil || errors.Is(err, raft.ErrLogNotFound) || s.stopping.Load() {
		return err
	}
	if s.starting.Load() {
		s.unread = err
		return err
	}
	s.fault(err)
	if applying() {
		*l = raft.Log{Index: index, Type: raft.LogCommand}
		return nil
	}
	return err
}

// applying reports whether the caller's caller is the part of Raft that hands committed entries on.
func applying() bool {
	var pcs [16]uintptr
	list := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := list.Next()
		if strings.HasSuffix(f.Function, "raft.(*Raft).processLogs") {
			return true
		}
		if !more {
			return false
		}
	}
}

// read reads one entry from the backend and verifies what the checksum of its data does not cover.
func (s *logStore) read(index uint64, l *raft.Log) (err error) {
	if s.memory {
		return s.backend.GetLog(index, l)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", wal.ErrCorrupt, r) // raft-wal's decoder slices without looking
		}
		if err != nil && !errors.Is(err, raft.ErrLogNotFound) && !errors.Is(err, wal.ErrClosed) {
			err = remedy(fmt.Errorf("entry %d of the Raft log of group %s in %s cannot be read: %w", index, s.name, s.dir, err))
		}
	}()
	if err := s.backend.GetLog(index, l); err != nil {
		return err
	}
	return plausible(index, l)
}

// plausible reports what shows that l is not the entry that was stored at index.
func plausible(index uint64, l *raft.Log) error {
	if l.Index != index {
		return fmt.Errorf("%w: entry %d stands in its place", wal.ErrCorrupt, l.Index)
	}
	data := false
	switch l.Type {
	case raft.LogCommand, raft.LogConfiguration:
		data = true
	case raft.LogNoop, raft.LogBarrier:
	default:
		return fmt.Errorf("%w: its type %d is unknown", wal.ErrCorrupt, l.Type)
	}
	if data != (len(l.Data) > 0) {
		return fmt.Errorf("%w: an entry of type %s does not have %d bytes of data", wal.ErrCorrupt, l.Type, len(l.Data))
	}
	return nil
}

// newRaft starts Raft over the log. Raft panics when it meets an entry that it cannot read: that becomes an error.
func (g *Group) newRaft(conf *raft.Config, trans raft.Transport) (r *raft.Raft, err error) {
	g.logs.unread = nil
	g.logs.starting.Store(true)
	defer func() {
		p := recover()
		g.logs.starting.Store(false)
		switch {
		case p == nil && err == nil:
			return
		case g.logs.unread != nil:
			err = g.logs.unread
		case p != nil:
			err = remedy(fmt.Errorf("its log or its configuration in %s: %v", g.cfg.Dir, p))
		}
		r, err = nil, fmt.Errorf("start Raft for group %s: %w", g.cfg.Name, err)
	}()
	return raft.NewRaft(conf, g.fsm, g.logs, g.logs, g.snaps, trans)
}
