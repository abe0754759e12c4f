package systest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// The topic of the repository's events, and the group that deals with them.
const (
	eventTopic      = "commits"
	eventGroup      = "historians"
	eventPartitions = 4
	eventMembers    = 3
)

// authorOf returns what stands in a commit's author line before its time.
func authorOf(text []byte) string {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte("author ")); ok {
			end := bytes.LastIndexByte(rest, '>')
			return string(rest[:end+1])
		}
	}
	return ""
}

// event is a commit as one of the authors of the events made it: author and number.
type event struct {
	author string
	n      int
}

// The repository's history is published as events, each author's under a key of its own, and read by three members of a group,
// processes of their own, of which one is killed. Every event is dealt with, those of one author in their order: one that comes again
// begins a stretch that goes on without a gap.
func TestEveryCommitIsDealtWithInItsAuthorsOrder(t *testing.T) {
	commits := commitsOfThisRepository(t)
	slices.Reverse(commits) // oldest first
	s := start(t)
	client := newClient(t, s.addrs())
	if err := client.Stream.CreateTopic(eventTopic, eventPartitions, -1); err != nil {
		t.Fatal(err)
	}

	seen := make(chan [2]string, 1) // a member, and what it says
	all := make([]*historian, eventMembers)
	for i := range all {
		all[i] = startHistorian(t, s.port, i, seen)
	}
	names, want := publishEvents(t, client, commits)

	dealt := map[string][]string{} // by author: the commits in the order in which they were dealt with
	had := map[string]map[string]bool{}
	killed, total, again := -1, 0, 0
	late := time.After(2 * time.Minute)
	for left := len(names); left > 0; {
		select {
		case said := <-seen:
			name := said[1]
			e, known := names[name]
			if !known {
				t.Fatalf("member %s has dealt with %q, which is no commit", said[0], name)
			}
			if total++; had[e.author] == nil {
				had[e.author] = map[string]bool{}
			}
			if had[e.author][name] {
				again++
			} else {
				had[e.author][name] = true
				left--
			}
			dealt[e.author] = append(dealt[e.author], name)
			if killed < 0 && total > len(names)/4 {
				killed, _ = strconv.Atoi(said[0])
				all[killed].kill()
			}
		case <-late:
			t.Fatalf("after 2 minutes %d of %d events are left", left, len(names))
		}
	}
	for _, h := range all {
		h.end(t, seen)
	}
	for author, list := range dealt {
		if why := outOfOrder(want[author], list); why != "" {
			t.Errorf("of %s %s", author, why)
		}
	}
	if killed < 0 {
		t.Error("nobody was killed")
	}
	lag, err := client.Stream.Lag(eventTopic, eventGroup)
	if err != nil || lag != 0 {
		t.Errorf("in the end %d events are not committed: %v", lag, err)
	}
	t.Logf("%d commits of %d authors, %d of them dealt with twice; member %d was killed", len(names), len(want), again, killed)
}

// publishEvents publishes the commits. An author of many is several, so that there is something to share out: by the first letter of
// the commit's name.
func publishEvents(t *testing.T, client *flin.Client, commits []commit) (names map[string]event, want map[string][]string) {
	t.Helper()
	p, err := client.Stream.Producer(eventTopic)
	if err != nil {
		t.Fatal(err)
	}
	names, want = map[string]event{}, map[string][]string{}
	for _, c := range commits {
		author := authorOf(c.text) + " " + c.name[:1]
		names[c.name] = event{author, len(want[author])}
		want[author] = append(want[author], c.name)
		r := flin.Record{Key: []byte(author), Value: c.text, Headers: []flin.Header{{Name: "commit", Value: []byte(c.name)}}}
		if err := p.Send(flin.AnyPartition, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(p.Flush(context.Background()), p.Close()); err != nil {
		t.Fatal(err)
	}
	return names, want
}

// outOfOrder says why list is not want in its order, but for steps back to something that was had before.
func outOfOrder(want, list []string) string {
	next, far := 0, 0 // what comes next, and what has not come at all
	for _, name := range list {
		at := slices.Index(want, name)
		if at > next {
			return fmt.Sprintf("commit %d was dealt with behind %d", at, next-1)
		}
		next = at + 1
		far = max(far, next)
	}
	if far != len(want) {
		return fmt.Sprintf("%d commits of %d were dealt with", far, len(want))
	}
	return ""
}

// The check of the order must see what is out of order.
func TestTheOrderOfEventsIsSeen(t *testing.T) {
	want := strings.Fields("a b c d")
	for list, ok := range map[string]bool{
		"a b c d": true, "a b a b c d": true, "a b c b c d": true, "a c b d": false, "a b c": false, "b a b c d": false, "a b c d b d": false, "a b c a b c d": true,
	} {
		if why := outOfOrder(want, strings.Fields(list)); (why == "") != ok {
			t.Errorf("%s: %q", list, why)
		}
	}
}

// historian is a process that reads events.
type historian struct {
	cmd    *exec.Cmd
	exited chan error
	killed bool
	log    *lockedBuffer
}

// startHistorian starts this test's binary as a member. Of each event that it has dealt with it sends its number and the commit's name.
func startHistorian(t *testing.T, addr string, number int, seen chan<- [2]string) *historian {
	t.Helper()
	h := &historian{exited: make(chan error, 1), log: &lockedBuffer{}}
	h.cmd = exec.Command(os.Args[0], "-test.run=^TestHistorianProcess$", "-test.v")
	h.cmd.Env = append(os.Environ(), "FLIN_HISTORIAN="+addr, "TMPDIR="+t.TempDir())
	h.cmd.Stderr = h.log
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	joined := make(chan struct{})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			switch verb, rest, _ := strings.Cut(lines.Text(), " "); verb {
			case "joined":
				close(joined)
			case "dealt":
				seen <- [2]string{strconv.Itoa(number), rest}
			default:
				_, _ = h.log.Write(append(lines.Bytes(), '\n'))
			}
		}
		h.exited <- h.cmd.Wait()
	}()
	t.Cleanup(func() { _ = h.cmd.Process.Kill() })
	select {
	case <-joined:
	case <-time.After(30 * time.Second):
		t.Fatalf("member %d does not join:\n%s", number, h.log.tail(4<<10))
	}
	return h
}

// kill ends the member as a power switch would.
func (h *historian) kill() {
	h.killed = true
	_ = h.cmd.Process.Kill() // it may have ended by itself
}

// end asks the member to end and waits for that.
func (h *historian) end(t *testing.T, seen <-chan [2]string) {
	t.Helper()
	if err := h.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	late := time.After(30 * time.Second)
	for {
		select {
		case <-seen: // an event that came again
		case err := <-h.exited:
			if err != nil && !h.killed {
				t.Errorf("a member ended with %v:\n%s", err, h.log.tail(4<<10))
			}
			return
		case <-late:
			t.Fatalf("a member does not end:\n%s", h.log.tail(4<<10))
		}
	}
}

// TestHistorianProcess is what a member's process does: it reads events until it is asked to end. It is no test where it was not started
// as one.
func TestHistorianProcess(t *testing.T) {
	addr := os.Getenv("FLIN_HISTORIAN")
	if addr == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	client := newClient(t, addr)
	r, err := client.Stream.Reader(eventTopic, eventGroup, flin.SessionTimeout(time.Second), flin.CommitEvery(100*time.Millisecond), flin.MaxRecords(4))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("joined")
	for e, err := range r.Records(ctx) {
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			break
		}
		name := string(e.Headers[0].Value)
		if got := commitName(e.Value, name); got != name {
			t.Errorf("the event of commit %s has the text of %s", name, got)
		}
		fmt.Println("dealt " + name)
		time.Sleep(10 * time.Millisecond) // what dealing with it takes
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
