package update

import (
	"slices"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// merging is what was merged: a node's positional $ with its fields or, for an element of an array, those nodes that were picked.
type merging struct {
	of    *node
	which string // empty for the positional $
}

// maxMerged is how many nodes at and below merged ones are remembered.
const maxMerged = 1 << 17

// remember keeps a merged node for the next element that wants the same. Where there are too many it forgets all others.
func (a *run) remember(key merging, m *node) {
	if a.mergedSize += m.size; a.mergedSize > maxMerged || a.merged == nil {
		a.merged, a.mergedSize = map[merging]*node{}, m.size
	}
	a.merged[key] = m
}

// mergeAll makes one node of several, half by half: so none is copied once for each of the others.
func mergeAll(list []*node) (*node, error) {
	if len(list) == 1 {
		return list[0], nil
	}
	x, err := mergeAll(list[:len(list)/2])
	if err != nil {
		return nil, err
	}
	y, err := mergeAll(list[len(list)/2:])
	if err != nil {
		return nil, err
	}
	return merge(x, y)
}

// merge makes one node of two that turned out to be for one place. They, and what is below them, stay as they are: an update is shared.
func merge(x, y *node) (*node, error) {
	if x.op != nil || y.op != nil || x.elements != y.elements {
		return nil, value.Errorf(value.ConflictingUpdateOperators, "Update created a conflict at '%s': '%s' is for the same place", x.path, y.path)
	}
	m := &node{name: x.name, index: x.index, path: x.path, elements: x.elements, some: slices.Clone(x.some), size: x.size + y.size}
	var err error
	for _, c := range x.children {
		m.append(c)
	}
	for _, c := range y.children {
		i := find(m, c.name)
		if i < 0 {
			m.append(c)
			continue
		}
		if m.children[i], err = merge(m.children[i], c); err != nil {
			return nil, err
		}
	}
	for _, c := range y.some {
		i := slices.IndexFunc(m.some, func(other *node) bool { return other.filter == c.filter })
		if i < 0 {
			m.some = append(m.some, c)
			continue
		}
		if m.some[i], err = merge(m.some[i], c); err != nil {
			return nil, err
		}
		m.some[i].filter = c.filter
	}
	if m.all, err = mergeOptional(x.all, y.all); err != nil {
		return nil, err
	}
	if m.position, err = mergeOptional(x.position, y.position); err != nil {
		return nil, err
	}
	m.sort()
	return m, nil
}

func mergeOptional(x, y *node) (*node, error) {
	switch {
	case x == nil:
		return y, nil
	case y == nil:
		return x, nil
	}
	return merge(x, y)
}
