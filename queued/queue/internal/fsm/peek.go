package fsm

import "github.com/skshohagmiah/flin/pkg/engine/heap"

// candidate is a group, or the messages without one, in the order of what would be delivered next.
type candidate struct {
	group *group // nil: messages without a group
	list  int    // of group.lists
	at    int    // in that list, or in plain
	id    uint64
	turn  uint64
}

// next finds the n messages that would be taken next, one after another.
func (v *viewer) next(q *queue, n int) error {
	plain, ids := v.plain(q, n)
	line := heap.New(func(a, b candidate) bool {
		if x, y := a.id>>56, b.id>>56; x != y {
			return x < y
		}
		return a.turn < b.turn
	}, nil)
	for _, g := range firstGroups(q, n) {
		line.Push(candidate{group: g, id: g.front(), turn: g.turn})
	}
	if len(ids) > 0 {
		line.Push(candidate{id: ids[0], turn: q.plainTurn})
	}
	for turn := q.turn; len(v.found) < n && line.Len() > 0; {
		c := line.Remove(0)
		before := len(v.found)
		if c.group == nil {
			if s := plain[c.at]; s != nil {
				v.found = append(v.found, *s)
			}
		} else if err := v.at(q, c.id); err != nil {
			return err
		}
		if len(v.found) > before {
			turn++
			c.turn = turn
		}
		if c.advance(ids) {
			line.Push(c)
		}
		if len(v.missing) >= n {
			break
		}
	}
	return nil
}

// advance goes to the candidate's next message.
func (c *candidate) advance(plain []uint64) bool {
	c.at++
	if c.group == nil {
		if c.at < len(plain) {
			c.id = plain[c.at]
			return true
		}
		return false
	}
	if c.at >= c.group.lists[c.list].ids.len() {
		c.list, c.at = c.list+1, 0
	}
	if c.list >= len(c.group.lists) {
		return false
	}
	c.id = c.group.lists[c.list].ids.all()[c.at]
	return true
}

// firstGroups returns the n groups that are served first, without a change of their heap.
func firstGroups(q *queue, n int) (list []*group) {
	all := q.turns.Items()
	if len(all) == 0 {
		return nil
	}
	next := heap.New(func(a, b int) bool { return before(all[a], all[b]) }, nil)
	next.Push(0)
	for len(list) < n && next.Len() > 0 {
		i := next.Remove(0)
		list = append(list, all[i])
		for _, child := range [...]int{2*i + 1, 2*i + 2} {
			if child < len(all) {
				next.Push(child)
			}
		}
	}
	return list
}

// plain finds the first n ready messages without a group, and their ids.
func (v *viewer) plain(q *queue, n int) (list []*sight, ids []uint64) {
	kept := v.found
	for _, l := range q.lanes {
		if len(list) >= n {
			break
		}
		if l.open == 0 {
			continue
		}
		from := l.next
		if l.back.len() > 0 {
			from = min(from, l.back.front())
		}
		b, i := l.seek(from)
		open, wanted := l.open, n-len(list)
		for ok := true; ok && open > 0 && wanted > 0; b, i, ok = l.follow(b, i) {
			if b < 0 || l.blocks[b][i].flags()&flagGrouped != 0 {
				continue
			}
			v.found = nil
			if !v.readyIn(q, &l.blocks[b][i], wanted) {
				wanted -= l.blocks[b][i].n()
				continue
			}
			for k := range v.found {
				list = append(list, &v.found[k])
				ids = append(ids, uint64(v.found[k].receipt.ID))
			}
			open -= len(v.found)
			wanted -= len(v.found)
		}
	}
	v.found = kept
	return list, ids
}

// readyIn finds at most n ready messages without a group in a chunk; false if it has to be read first.
func (v *viewer) readyIn(q *queue, d *desc, n int) bool {
	p := place{q.qid, d.first}
	c := d.c
	var msgs []msg
	switch r := v.read[p]; {
	case c != nil && c.msgs != nil:
		msgs = c.msgs
	case r == nil || len(r.msgs) != d.n():
		v.lack(p)
		return false
	default:
		msgs = r.msgs
	}
	for i := range msgs {
		if len(v.found) >= n {
			break
		}
		if len(msgs[i].group) != 0 || c != nil && c.status(i) != ready {
			continue
		}
		id := d.first + uint64(i)
		if c != nil && c.deltas != nil {
			id = c.id(i)
		} else if r := v.read[p]; r != nil {
			id = r.id(i)
		}
		v.see(c, i, id, &msgs[i])
	}
	return true
}
