package flin

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// callCase is a call, what it must send, and what becomes of a made-up answer.
type callCase struct {
	name string
	op   wire.Op
	want payload
	resp wire.Response
	call func() (any, error)
	says string
}

// done is what a call that returns nothing says.
func done(err error) (any, error) { return "", err }

// run makes the call and looks at the frame, and at what is made of the answer.
func (tc *callCase) run(t *testing.T, f *fake) {
	t.Helper()
	var sent []byte
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		if req.Op != tc.op {
			return false
		}
		if req.Deadline == 0 {
			t.Errorf("%s: there is no deadline", tc.name)
		}
		sent = bytes.Clone(req.Body)
		c.answer(req.Tag, tc.resp)
		return true
	})
	got, err := tc.call()
	if err != nil || fmt.Sprint(got) != tc.says {
		t.Errorf("%s: %v, want %s, %v", tc.name, got, tc.says, err)
	}
	if want := tc.want.Append(nil); !bytes.Equal(sent, want) {
		t.Errorf("%s:\nsent % x\nwant % x", tc.name, sent, want)
	}
}

// cutOff makes the call once more, and answers num with the last byte of the body missing.
func (tc *callCase) cutOff(t *testing.T, f *fake, num int64) {
	t.Helper()
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		c.answer(req.Tag, wire.Response{Num: num, Body: tc.resp.Body[:len(tc.resp.Body)-1]})
		return true
	})
	if _, err := tc.call(); !errors.Is(err, ErrInternal) {
		t.Errorf("%s: an answer that is cut off is %v", tc.name, err)
	}
}
