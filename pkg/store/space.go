package store

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// space is the bookkeeping of what is alive on disk. Writes are blind, so it estimates: each flush looks up some of the
// keys it is about to overwrite (sample.go). It is changed under Store.flushMu; mu is for those who only ask.
type space struct {
	mu    sync.Mutex
	files map[uint32]*fileInfo
	keys  int64 // living keys
	tombs int64 // tombstones
}

// fileInfo is what is known of one blob file.
type fileInfo struct {
	fileRecord
	noted   int64  // dead as it is on disk
	retired uint64 // the flush since which nothing leads here; 0: something may
	broken  bool   // a record cannot be read: the file is left as it is
}

func newSpace(files map[uint32]fileRecord, keys, tombs int64) *space {
	sp := &space{files: make(map[uint32]*fileInfo, len(files)), keys: keys, tombs: tombs}
	for no, f := range files {
		sp.files[no] = &fileInfo{fileRecord: f, noted: f.dead}
	}
	return sp
}

// replace retires all files and notes those of an installed snapshot.
func (sp *space) replace(files map[uint32]fileRecord, m *marker) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, f := range sp.files {
		if f.retired == 0 {
			f.retired = m.number
		}
	}
	for no, f := range files {
		sp.files[no] = &fileInfo{fileRecord: f}
	}
	sp.keys, sp.tombs = m.keys, m.tombs
}

// grown notes the new length of a file and returns its record.
func (sp *space) grown(l blob.Length) fileRecord {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	f := sp.files[l.File]
	if f == nil {
		f = &fileInfo{}
		sp.files[l.File] = f
	}
	f.size = l.Size
	f.noted = f.dead
	return f.fileRecord
}

// changed returns the records of files of which much more is dead than disk says.
func (sp *space) changed() map[uint32]fileRecord {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	var out map[uint32]fileRecord
	for no, f := range sp.files {
		if d := f.dead - f.noted; f.retired != 0 || d < f.size/64 && -d < f.size/64 || d == 0 {
			continue
		}
		if out == nil {
			out = make(map[uint32]fileRecord)
		}
		f.noted = f.dead
		out[no] = f.fileRecord
	}
	return out
}

// add notes that bytes of a file have died.
func (sp *space) add(no uint32, bytes int64) {
	sp.mu.Lock()
	if f := sp.files[no]; f != nil {
		f.dead = min(f.dead+bytes, f.size)
	}
	sp.mu.Unlock()
}

// count notes that keys and tombstones have come or gone.
func (sp *space) count(keys, tombs int64) {
	sp.mu.Lock()
	sp.keys = max(0, sp.keys+keys)
	sp.tombs = max(0, sp.tombs+tombs)
	sp.mu.Unlock()
}

// reset replaces the counts by exact ones.
func (sp *space) reset(keys, tombs int64) {
	sp.mu.Lock()
	sp.keys, sp.tombs = keys, tombs
	sp.mu.Unlock()
}

func (sp *space) estimates() (keys, tombs int64) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.keys, sp.tombs
}

// retire says that from a flush on nothing leads to a file.
func (sp *space) retire(no uint32, number uint64) {
	sp.mu.Lock()
	if f := sp.files[no]; f != nil {
		f.retired = number
	}
	sp.mu.Unlock()
}

// unlinkable returns the retired files that nobody can be reading, when low is the oldest flush that is still held.
func (sp *space) unlinkable(low uint64) []uint32 {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	var out []uint32
	for no, f := range sp.files {
		if f.retired != 0 && f.retired <= low {
			out = append(out, no)
		}
	}
	return out
}

func (sp *space) forget(no uint32) {
	sp.mu.Lock()
	delete(sp.files, no)
	sp.mu.Unlock()
}

// records returns what is on record of the files in use.
func (sp *space) records() map[uint32]fileRecord {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	out := make(map[uint32]fileRecord, len(sp.files))
	for no, f := range sp.files {
		if f.retired == 0 {
			f.noted = f.dead
			out[no] = f.fileRecord
		}
	}
	return out
}

// worst returns the file that is the most dead, if that is at least half of it. active, which is appended to, is left out.
func (sp *space) worst(active uint32) (no uint32, ok bool) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	best := 0.5
	for n, f := range sp.files {
		if n == active || f.retired != 0 || f.broken || f.size == 0 {
			continue
		}
		if part := float64(f.dead) / float64(f.size); part >= best {
			no, ok, best = n, true, part
		}
	}
	return no, ok
}

// sums returns the number of files in use and their living and dead bytes.
func (sp *space) sums() (files int, living, dead int64) {
	sp.mu.Lock()
	defer sp.mu.Unlock()
	for _, f := range sp.files {
		files++
		if f.retired != 0 {
			dead += f.size
			continue
		}
		living += f.size - f.dead
		dead += f.dead
	}
	return files, living, dead
}
