package kv

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// answers is a Replier that keeps copies.
type answers struct {
	mu   sync.Mutex
	cond *sync.Cond
	all  []wire.Response
}

func newAnswers() *answers {
	a := &answers{}
	a.cond = sync.NewCond(&a.mu)
	return a
}

// Reply keeps a copy of the answer.
func (a *answers) Reply(_ uint64, resp wire.Response) {
	resp.Body = slices.Clone(resp.Body)
	a.mu.Lock()
	a.all = append(a.all, resp)
	a.mu.Unlock()
	a.cond.Broadcast()
}

// wait returns the answers once there are n.
func (a *answers) wait(t testing.TB, n int) []wire.Response {
	t.Helper()
	late := false
	timer := time.AfterFunc(30*time.Second, func() {
		a.mu.Lock()
		late = true
		a.mu.Unlock()
		a.cond.Broadcast()
	})
	defer timer.Stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	for len(a.all) < n {
		if late {
			t.Fatalf("%d answers in 30 s, %d were to come", len(a.all), n)
		}
		a.cond.Wait()
	}
	return slices.Clone(a.all)
}

// events decodes what watch answers tell.
func events(t testing.TB, answers []wire.Response) (all []wire.KVEvent) {
	t.Helper()
	for _, resp := range answers {
		r := wire.NewReader(resp.Body)
		for r.Len() > 0 {
			all = append(all, wire.TakeKVEvent(&r))
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
	}
	return all
}
