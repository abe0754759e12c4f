package pool

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTasksOverTheBoundAreBusy(t *testing.T) {
	p := New("test", 1, 2)
	defer p.Close()
	hold, held := make(chan struct{}), make(chan struct{})
	submit := func(tag uint64, run func(*Task)) *enginetest.Client {
		a := enginetest.NewClient(t)
		p.Add(p.Open(a, &wire.Request{Tag: tag}, run))
		return a
	}
	ok := func(t *Task) { t.Answer(wire.Response{Num: 7}) }
	first := submit(1, func(t *Task) { close(held); <-hold; t.Answer(wire.Response{Num: 1}) })
	<-held
	second, third, fourth := submit(2, ok), submit(3, ok), submit(4, ok)
	if resp := fourth.Answers(1)[0]; resp.Code != wire.Busy || !strings.Contains(string(resp.Body), "-workers") {
		t.Errorf("over the bound a task was answered %v %s", resp.Code, resp.Body)
	}
	if !p.Cancel(third, 3) || p.Cancel(third, 3) {
		t.Error("a waiting task is withdrawn once")
	}
	if !p.Cancel(first, 1) {
		t.Error("a running task can be withdrawn")
	}
	close(hold)
	for i, c := range []struct {
		a    *enginetest.Client
		code wire.Code
	}{{first, wire.Canceled}, {second, wire.OK}, {third, wire.Canceled}} {
		if resp := c.a.Answers(1)[0]; resp.Code != c.code {
			t.Errorf("task %d was answered %v", i+1, resp.Code)
		}
	}
	p.Close()
	if resp := submit(5, ok).Answers(1)[0]; resp.Code != wire.Unavailable {
		t.Errorf("after the end a task was answered %v", resp.Code)
	}
	for _, a := range []*enginetest.Client{first, second, third, fourth} {
		if n := len(a.Answers(1)); n != 1 {
			t.Errorf("%d answers to one task", n)
		}
	}
}

func TestABoundTaskIsItsOwnersAlone(t *testing.T) {
	p := New("test", 1, 1)
	a, after := enginetest.NewClient(t), 0
	ran := make(chan struct{})
	task := p.OpenThen(a, &wire.Request{Tag: 1}, func(t *Task) {
		for range 2 {
			if !t.Bind() {
				panic("a task that nobody has answered can be bound")
			}
		}
		close(ran)
	}, func() { after++ })
	p.Add(task)
	<-ran
	if p.Cancel(a, 1) {
		t.Error("a bound task was withdrawn")
	}
	again := make(chan struct{})
	task.Continue(func(*Task) { close(again) })
	if !p.Again(task) {
		t.Error("a bound task was not queued again")
	}
	<-again
	p.Close()
	if p.Again(task) {
		t.Error("a task was queued after the end")
	}
	task.Answer(wire.Response{Num: 3})
	task.Answer(wire.Response{})
	if all := a.Answers(1); len(all) != 1 || all[0].Num != 3 || after != 1 {
		t.Errorf("answers %v, told %d times", all, after)
	}
	if late := p.Open(enginetest.NewClient(t), &wire.Request{}, nil); !p.Cancel(late.origin.Replier, 0) || late.Bind() {
		t.Error("a task that was withdrawn can be bound")
	}
}

func TestATaskThatHasWaitedRunsOrSaysWhyNot(t *testing.T) {
	p := New("test", 1, 1)
	defer p.Close()
	a := enginetest.NewClient(t)
	run := func(t *Task) { t.Answer(wire.Response{}) }
	p.Open(a, &wire.Request{Tag: 1}, run).Ready(nil)
	a.Answers(1)
	p.Open(a, &wire.Request{Tag: 2}, run).Ready(wire.Errorf(wire.NotLeader, "another leads"))
	if all := a.Answers(2); len(all) != 2 || all[0].Code != wire.OK || all[1].Code != wire.NotLeader {
		t.Errorf("answers %v", all)
	}
}
