package systest

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// The queues of the build jobs.
const (
	jobQueue    = "builds"
	resultQueue = "builds.done"
)

// commit is one of this repository's own: its name and its text, of which the name is the hash.
type commit struct {
	name string
	text []byte
}

// commitName returns the name that git gives a commit with this text, as long as the one it is compared with.
func commitName(text []byte, like string) string {
	object := append(fmt.Appendf(nil, "commit %d\x00", len(text)), text...)
	if len(like) == 2*sha256.Size {
		sum := sha256.Sum256(object)
		return hex.EncodeToString(sum[:])
	}
	sum := sha1.Sum(object)
	return hex.EncodeToString(sum[:])
}

// commitsOfThisRepository returns every commit that leads to the one that is checked out.
func commitsOfThisRepository(t *testing.T) (all []commit) {
	t.Helper()
	git := func(args ...string) []byte {
		out, err := exec.Command("git", append([]string{"-c", "safe.directory=*"}, args...)...).Output()
		if err != nil {
			t.Skipf("git %s: %v: without the repository's history there are no jobs", args[0], err)
		}
		return out
	}
	for name := range strings.FieldsSeq(string(git("rev-list", "HEAD"))) {
		c := commit{name, git("cat-file", "commit", name)}
		if got := commitName(c.text, name); got != name {
			t.Fatalf("commit %s has the name %s", name, got)
		}
		all = append(all, c)
	}
	return all
}

// The repository's history is pushed as build jobs, twice, of which each counts once. Eight workers, processes of their
// own, work them off; three are killed and one is asked to end, each in the middle of a job. Every commit is built,
// and what was built twice is what a killed worker had in hand.
func TestEveryCommitIsBuiltThoughWorkersAreKilled(t *testing.T) {
	const workers = 8
	commits := commitsOfThisRepository(t)
	s := start(t)
	client := newClient(t, s.addrs())
	for range 2 {
		for _, c := range commits {
			err := client.Queue.Push(jobQueue, c.text, flin.DedupID(c.name), flin.Headers(map[string]string{"commit": c.name}))
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if n, err := client.Queue.Len(jobQueue); err != nil || n != int64(len(commits)) {
		t.Fatalf("%d jobs are there of %d commits: %v", n, len(commits), err)
	}

	begun := make(chan int)
	all := make([]*buildWorker, workers)
	for i := range all {
		all[i] = startBuildWorker(t, s.port, i, begun)
	}
	killed, jobs := 0, 0
	look, late := time.NewTicker(20*time.Millisecond), time.After(2*time.Minute)
	defer look.Stop()
	for left := len(commits); left > 0; {
		select {
		case i := <-begun:
			switch jobs++; jobs {
			case 3, 6, 9:
				all[i].kill()
				killed++
			case 12:
				all[i].signal(t)
			}
		case <-look.C: // a queue that becomes empty gives no sign
			stillRuns(t, s)
			info, err := client.Queue.Info(jobQueue)
			if err != nil {
				t.Fatal(err)
			}
			left = int(info.Ready + info.Delayed + info.Leased)
		case <-late:
			t.Fatalf("after 2 minutes %d jobs are left", left)
		}
	}
	for _, w := range all {
		w.end(t, begun)
	}
	countBuilds(t, client, commits, killed)
}

// countBuilds takes all results and compares them with the commits.
func countBuilds(t *testing.T, client *flin.Client, commits []commit, killed int) {
	t.Helper()
	builds, again := map[string]int{}, 0
	for {
		body, err := client.Queue.Pop(resultQueue)
		if errors.Is(err, flin.ErrEmpty) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name, attempt, _ := strings.Cut(string(body), " ")
		builds[name]++
		if n, err := strconv.Atoi(attempt); err != nil || n < 1 {
			t.Errorf("a result is %q", body)
		} else if n > 1 {
			again++
		}
	}
	total := 0
	for _, c := range commits {
		if builds[c.name] == 0 {
			t.Errorf("commit %s was not built", c.name)
		}
		total += builds[c.name]
		delete(builds, c.name)
	}
	for name := range builds {
		t.Errorf("%q was built, which is no commit", name)
	}
	if total > len(commits)+killed {
		t.Errorf("%d builds of %d commits, and %d workers were killed", total, len(commits), killed)
	}
	t.Logf("%d commits, %d builds, %d of them of jobs that were delivered before; %d workers killed", len(commits), total, again, killed)
	info, err := client.Queue.Info(jobQueue)
	if err != nil || info.Pushed != int64(len(commits)) || info.Acked != int64(len(commits)) || info.Dead+info.Died+info.Dropped != 0 {
		t.Errorf("in the end the queue says %+v, %v", info, err)
	}
}

// buildWorker is a worker process.
type buildWorker struct {
	cmd    *exec.Cmd
	exited chan error
	killed bool
	log    *lockedBuffer
}

// startBuildWorker starts this test's binary as a worker. Each job that it begins sends number to begun.
func startBuildWorker(t *testing.T, addr string, number int, begun chan<- int) *buildWorker {
	t.Helper()
	w := &buildWorker{exited: make(chan error, 1), log: &lockedBuffer{}}
	w.cmd = exec.Command(os.Args[0], "-test.run=^TestBuildWorkerProcess$", "-test.v")
	w.cmd.Env = append(os.Environ(), "FLIN_BUILD_WORKER="+addr, "TMPDIR="+t.TempDir())
	w.cmd.Stderr = w.log
	w.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if bytes.HasPrefix(lines.Bytes(), []byte("begun ")) {
				begun <- number
			} else {
				_, _ = w.log.Write(append(lines.Bytes(), '\n'))
			}
		}
		w.exited <- w.cmd.Wait()
	}()
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	return w
}

// kill ends the worker as a power switch would.
func (w *buildWorker) kill() {
	w.killed = true
	_ = w.cmd.Process.Kill() // it may have ended by itself
}

// signal asks the worker to end.
func (w *buildWorker) signal(t *testing.T) {
	t.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
}

// end asks the worker to end and waits for that.
func (w *buildWorker) end(t *testing.T, begun <-chan int) {
	t.Helper()
	w.signal(t)
	late := time.After(30 * time.Second)
	for {
		select {
		case <-begun: // a job that came again, of a worker that was killed behind its last word
		case err := <-w.exited:
			if err != nil && !w.killed {
				t.Errorf("a worker ended with %v:\n%s", err, w.log.tail(4<<10))
			}
			return
		case <-late:
			t.Fatalf("a worker does not end:\n%s", w.log.tail(4<<10))
		}
	}
}

// TestBuildWorkerProcess is what a worker process does: it works jobs off until it is asked to end. It is no test where
// it was not started as one.
func TestBuildWorkerProcess(t *testing.T) {
	addr := os.Getenv("FLIN_BUILD_WORKER")
	if addr == "" {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	client := newClient(t, addr)
	err := client.Queue.Receive(ctx, jobQueue, func(ctx context.Context, m *flin.Message) error {
		fmt.Println("begun " + m.ID)
		name := m.Headers["commit"]
		if got := commitName(m.Body, name); got != name {
			return fmt.Errorf("the job of commit %s has the text of %s: %w", name, got, flin.ErrReject)
		}
		select {
		case <-time.After(150 * time.Millisecond): // what a build takes
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		return client.Queue.Push(resultQueue, fmt.Appendf(nil, "%s %d", name, m.Attempt))
	}, flin.Concurrency(1), flin.For(time.Second))
	if err != nil {
		t.Fatal(err)
	}
}
