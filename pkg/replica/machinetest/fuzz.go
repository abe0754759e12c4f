package machinetest

import (
	"bytes"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Any has the machine execute a command of any bytes, as a read and as a write: each is answered, and none is a fault.
func (b *Bench) Any(t *testing.T, op wire.Op, body []byte) (answers []wire.Response) {
	t.Helper()
	for _, read := range []bool{true, false} {
		var ans wire.Response
		b.Index++
		b.Rev++
		c := replica.Command{Op: op, Body: bytes.Clone(body), Index: b.Index, Revision: b.Rev, Time: b.Now, Read: read}
		if err := b.Machine.Apply(&c, &ans); err != nil {
			t.Fatalf("%v: fault: %v", op, err)
		}
		b.Seal()
		b.Finish()
		if ans.Code == wire.Internal {
			t.Fatalf("%v was answered Internal: %s", op, ans.Body)
		}
		answers = append(answers, ans)
	}
	b.Now++
	return answers
}
