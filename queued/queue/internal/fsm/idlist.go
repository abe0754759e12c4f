package fsm

import "slices"

// idlist is a sorted list of message ids that mostly grows at its end and shrinks at its front.
type idlist struct {
	ids []uint64
	off int // of the first that is still there
}

func (l *idlist) len() int      { return len(l.ids) - l.off }
func (l *idlist) front() uint64 { return l.ids[l.off] }

// all returns the ids in order, on loan.
func (l *idlist) all() []uint64 { return l.ids[l.off:] }

// insert adds an id that is not there.
func (l *idlist) insert(id uint64) {
	n := len(l.ids)
	if n == l.off || l.ids[n-1] < id {
		l.ids = append(l.ids, id)
		return
	}
	i, _ := slices.BinarySearch(l.ids[l.off:], id)
	if l.off > 0 && i < (n-l.off)/2 {
		l.off--
		copy(l.ids[l.off:], l.ids[l.off+1:l.off+1+i])
		l.ids[l.off+i] = id
		return
	}
	l.ids = slices.Insert(l.ids, l.off+i, id)
}

// remove takes an id out, if it is there.
func (l *idlist) remove(id uint64) {
	if l.len() == 0 {
		return
	}
	if l.ids[l.off] == id {
		l.off++
		l.trim()
		return
	}
	i, ok := slices.BinarySearch(l.ids[l.off:], id)
	if !ok {
		return
	}
	if i < l.len()/2 {
		copy(l.ids[l.off+1:], l.ids[l.off:l.off+i])
		l.off++
		return
	}
	l.ids = slices.Delete(l.ids, l.off+i, l.off+i+1)
}

// trim gives back what lies before the front.
func (l *idlist) trim() {
	switch {
	case l.off == len(l.ids):
		l.off = 0
		if l.ids = l.ids[:0]; cap(l.ids) > 1024 {
			l.ids = nil
		}
	case l.off > 1024 && l.off > len(l.ids)/2:
		l.ids = append(make([]uint64, 0, l.len()+l.len()/4), l.ids[l.off:]...)
		l.off = 0
	}
}
