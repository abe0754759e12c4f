package fsm

import (
	"path"
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Read answers a read (OpStreamOffsets, List, Info, Groups, Group) from what has been applied. Any goroutine may call it. What it
// needs is appended to buf; Body aliases that.
func (m *Machine) Read(op wire.Op, body, buf []byte) wire.Response {
	if KindOf(op) != Read {
		return wire.Failf(wire.Unsupported, "the stream engine does not read by %v", op)
	}
	r, p := &ops[byte(op)], m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	var ans wire.Response
	err := r.check(m, p, body)
	if err == nil {
		ans, err = r.read(m, p, body, buf)
	}
	m.pool.Put(p)
	if err != nil {
		return wire.Fail(err)
	}
	return ans
}

// topicInfo serves OpStreamInfo.
func topicInfo(m *Machine, _ *payloads, body, buf []byte) (ans wire.Response, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.topics[string(body)]
	if t == nil {
		return ans, errNoTopic(body)
	}
	ans.Body = t.describe(buf)[len(buf):]
	return ans, nil
}

// describe appends what is known of a topic. Under mu.
func (t *topic) describe(b []byte) []byte {
	i := wire.TopicInfo{Name: []byte(t.snap.Name), Settings: t.snap.Settings, Created: t.created}
	i.Partitions = make([]wire.PartitionInfo, len(t.parts))
	for k, p := range t.parts {
		i.Partitions[k] = p.info()
	}
	return i.Append(b)
}

// maxList is how many bytes a list has at most, but for its last element: the others are on the next page.
const maxList = 8 << 20

// page goes through a list in the order of names from behind after on, as far as there is room, and reports whether there is more.
func page[T any](items []T, p *wire.StreamList, name func(T) string, compare func(T, string) int, show func(T) (grown int)) (more bool, err error) {
	limit := int(p.Limit)
	if limit == 0 {
		limit = defaultLimit
	}
	match := string(p.Match)
	at, ok := slices.BinarySearchFunc(items, string(p.After), compare)
	if ok {
		at++
	}
	size := 0
	for _, x := range items[at:] {
		if match != "" {
			if ok, err := path.Match(match, name(x)); !ok || err != nil {
				continue
			}
		}
		if limit == 0 || size > maxList {
			return true, nil
		}
		if n := show(x); n > 0 {
			size += n
			limit--
		}
	}
	return false, nil
}

// listTopics serves OpStreamList.
func listTopics(m *Machine, p *payloads, _, buf []byte) (ans wire.Response, err error) {
	out := buf
	m.mu.RLock()
	defer m.mu.RUnlock()
	more, err := page(m.sortedTopics, &p.list, func(t *topic) string { return t.snap.Name }, byTopicName, func(t *topic) int {
		before := len(out)
		out = t.describe(out)
		return len(out) - before
	})
	if more {
		ans.Num = 1
	}
	ans.Body = out[len(buf):]
	return ans, err
}
