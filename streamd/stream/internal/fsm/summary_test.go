package fsm

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// summary says what a machine has in memory.
func summary(m *Machine) string {
	var out strings.Builder
	t := m.Totals()
	t.AppendedBytes, t.AppendedRecords = 0, 0
	fmt.Fprintf(&out, "%+v retain=%d expire=%d\n", t, m.RetainDue(), m.ExpireDue())
	for _, t := range m.sortedTopics {
		fmt.Fprintf(&out, "topic %+v created=%d groups=%d\n", t.snap, t.created, len(t.shares))
		for _, p := range t.parts {
			summarizePartition(&out, p)
		}
	}
	for _, g := range m.sortedGroups {
		summarizeGroup(&out, g)
	}
	for i := range m.trash {
		fmt.Fprintf(&out, "trash %q %q\n", m.trash[i].key, m.trash[i].mark)
	}
	for pr := m.producers.oldest; pr != nil; pr = pr.newer {
		fmt.Fprintf(&out, "producer %d of %s/%d\n", pr.pid, pr.p.t.snap.Name, pr.p.no)
	}
	// The agendas have the same things, whatever order their memory has.
	agenda := slices.Clone(m.retention.heap.Items())
	slices.SortFunc(agenda, func(a, b *partition) int {
		return cmp.Or(strings.Compare(a.t.snap.Name, b.t.snap.Name), cmp.Compare(a.no, b.no))
	})
	for _, p := range agenda {
		fmt.Fprintf(&out, "retention of %s/%d at %d\n", p.t.snap.Name, p.no, p.retainAt)
	}
	groups := slices.Clone(m.empty.heap.Items())
	slices.SortFunc(groups, func(a, b *group) int { return strings.Compare(a.name, b.name) })
	for _, g := range groups {
		fmt.Fprintf(&out, "end of group %s at %d\n", g.name, g.due())
	}
	return out.String()
}

func summarizePartition(out *strings.Builder, p *partition) {
	name := fmt.Sprintf("%s/%d", p.t.snap.Name, p.no)
	fmt.Fprintf(out, " %s %+v retain=%d\n", name, p.info(), p.retainable())
	if p.list.count > 0 {
		for at, ok := p.list.front(), true; ok; at, ok = p.list.next(at) {
			fmt.Fprintf(out, "  %s batch %d size=%d time=%d\n", name, p.list.offsetOf(at), p.list.sizeOf(at), p.list.timeOf(at))
		}
	}
	for _, pid := range slices.Sorted(maps.Keys(p.producers)) {
		pr := p.producers[pid]
		fmt.Fprintf(out, "  %s producer %d/%d rev=%d time=%d %v\n", name, pid, pr.epoch, pr.rev, pr.time, pr.last[:pr.n])
	}
}

func summarizeGroup(out *strings.Builder, g *group) {
	fmt.Fprintf(out, "group %s gid=%d generation=%d assignor=%d emptied=%d committed=%d\n", g.name, g.gid, g.generation, g.assignor, g.emptied, g.committed)
	for _, x := range g.members {
		fmt.Fprintf(out, " %s member %+v\n", g.name, *x)
	}
	for _, sh := range g.shares {
		name := g.name + " in " + sh.t.snap.Name
		for _, s := range sh.subs {
			fmt.Fprintf(out, " %s: %s begun=%d %v\n", name, s.x.name, s.begun, s.parts)
		}
		for i, o := range sh.owners {
			fmt.Fprintf(out, " %s: %d belongs to %s since %d\n", name, i, o.s.x.name, o.since)
		}
		for _, c := range sh.commits {
			fmt.Fprintf(out, " %s: %d committed %d at %d %q\n", name, c.partition, c.offset, c.time, c.meta)
		}
	}
}
