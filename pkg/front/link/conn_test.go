package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var testLimits = Limits{MaxInput: 1 << 20, MaxOutput: 8 << 20, MaxInFlight: 4}

// pair returns a Conn and the client's end of it.
func pair(t *testing.T, limits Limits) (*Conn, *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := New(server, 1, limits)
	t.Cleanup(func() {
		_ = client.Close()
		c.Close(nil)
	})
	_ = client.SetDeadline(time.Now().Add(30 * time.Second)) // a hang fails instead
	return c, client.(*net.TCPConn)                          // it was dialled so
}

func (c *Conn) say(s string) { c.End(append(c.Begin(), s...)) }

func TestInputIsKeptUntilItIsDiscarded(t *testing.T) {
	pipeServer, pipeClient := net.Pipe()
	socket, client := pair(t, testLimits)
	defer func() { _ = pipeClient.Close() }()
	for name, ends := range map[string]struct {
		c      *Conn
		client net.Conn
	}{"socket": {socket, client}, "pipe": {New(pipeServer, 2, testLimits), pipeClient}} {
		want := make([]byte, 700<<10)
		for i := range want {
			want[i] = byte(i * 7)
		}
		go func() {
			for rest := want; len(rest) > 0; rest = rest[min(len(rest), 10_007):] {
				_, _ = ends.client.Write(rest[:min(len(rest), 10_007)]) // the other side fails
			}
		}()
		var got []byte
		for len(got) < len(want) {
			if err := ends.c.Fill(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			b := ends.c.Buffered()
			if !bytes.HasPrefix(want[len(got):], b) {
				t.Fatalf("%s: input differs behind %d", name, len(got))
			}
			n := (len(b) + 1) / 2
			switch {
			case len(got)+len(b) == len(want):
				n = len(b)
			case len(got) < 300<<10 && len(b) < 300<<10:
				continue // a long request
			}
			got = append(got, b[:n]...)
			ends.c.Discard(n)
		}
		ends.c.Close(nil)
	}
}

func TestARequestOverTheLimitIsRefused(t *testing.T) {
	for _, limit := range []int{100, 5 << 10, 200 << 10} {
		limits := testLimits
		limits.MaxInput = limit
		c, client := pair(t, limits)
		go func() { _, _ = client.Write(make([]byte, 300<<10)) }() // it is cut off
		var err error
		for err == nil {
			err = c.Fill()
		}
		if !errors.Is(err, ErrTooLong) || len(c.Buffered()) != limit+4 {
			t.Errorf("limit %d: %v after %d bytes", limit, err, len(c.Buffered()))
		}
	}
}

func TestAnswersFromManyGoroutinesArriveWholeAndInOrder(t *testing.T) {
	const writers, each = 8, 2000
	c, client := pair(t, testLimits)
	go func() { // the reader: between asleep and awake
		for c.Fill() == nil {
			c.Discard(len(c.Buffered()))
		}
	}()
	go func() {
		for range 1000 {
			if _, err := client.Write([]byte("x")); err != nil {
				return
			}
		}
	}()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				c.say(fmt.Sprintf("%d %06d\n", w, i))
			}
		})
	}
	var next [writers]int
	for range writers * each {
		var line [9]byte
		if _, err := io.ReadFull(client, line[:]); err != nil {
			t.Fatal(err)
		}
		var w, i int
		if _, err := fmt.Sscanf(string(line[:]), "%d %d\n", &w, &i); err != nil || i != next[w] {
			t.Fatalf("%q: %v, want number %d", line, err, next[w])
		}
		next[w]++
	}
	all.Wait()
}

func TestLongAnswersArriveBetweenShortOnesInOrder(t *testing.T) {
	limits := testLimits
	limits.MaxOutput, limits.Budget = 1<<30, NewBudget(1<<30)
	c, client := pair(t, limits)
	var want bytes.Buffer
	answers := make([]string, 200)
	for i := range answers {
		answers[i] = strings.Repeat(string(rune('a'+i%26)), []int{3, flushAt - 1, 10, flushAt, 1, 2*poolOutput + i}[i%6])
		want.WriteString(answers[i])
	}
	var all sync.WaitGroup
	all.Go(func() { // the reader
		for c.Fill() == nil {
			c.Discard(len(c.Buffered()))
		}
		c.finishOutput()
	})
	all.Go(func() {
		for _, a := range answers {
			c.say(a)
		}
	})
	got := make([]byte, want.Len())
	if _, err := io.ReadFull(client, got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatal("the answers do not arrive as they were given")
	}
	_ = client.CloseWrite()
	all.Wait()
	if n := limits.Budget.Used(); n != 0 {
		t.Errorf("%d bytes of the budget are not given back", n)
	}
}

func TestAClientThatDoesNotReadIsClosedAtItsLimit(t *testing.T) {
	limits := testLimits
	limits.Budget = NewBudget(64 << 20)
	c, _ := pair(t, limits)
	go func() { _ = c.Fill() }()
	chunk := string(make([]byte, 1<<20))
	for i := 0; c.Err() == nil; i++ {
		if i > 64 {
			t.Fatal("it is not closed")
		}
		c.say(chunk)
	}
	if !errors.Is(c.Err(), ErrSlowClient) {
		t.Error(c.Err())
	}
	for c.limits.Budget.Used() != 0 { // the write under way gives its share back
		time.Sleep(time.Millisecond)
	}
}

func TestTheReaderWaitsWhileTooMuchIsInFlight(t *testing.T) {
	c, client := pair(t, testLimits)
	for range testLimits.MaxInFlight {
		c.Started()
	}
	drained := make(chan error)
	go func() { drained <- c.Drain() }()
	for c.awaited.Load() < 0 { // until it waits
		time.Sleep(time.Millisecond)
	}
	select {
	case err := <-drained:
		t.Fatalf("it does not wait: %v", err)
	default:
	}
	c.say("a")
	c.Finished()
	if err := <-drained; err != nil {
		t.Error(err)
	}
	c.say("b")
	if err := c.Await(testLimits.MaxInFlight); err != nil {
		t.Error(err)
	}
	go func() {
		for range testLimits.MaxInFlight - 1 {
			c.Finished()
		}
	}()
	if err := c.Await(0); err != nil || c.InFlight() != 0 {
		t.Errorf("%v, %d in flight", err, c.InFlight())
	}
	go func() { _ = c.Fill() }()
	got := make([]byte, 2)
	if _, err := io.ReadFull(client, got); err != nil || string(got) != "ab" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAWaitEndsWithItsConnection(t *testing.T) {
	c, _ := pair(t, testLimits)
	c.Started()
	waited := make(chan error)
	go func() { waited <- c.Await(0) }()
	c.Close(ErrSlowClient)
	if err := <-waited; !errors.Is(err, ErrSlowClient) {
		t.Error(err)
	}
	if err := c.Fill(); !errors.Is(err, ErrSlowClient) {
		t.Error(err)
	}
}

func TestStopWaitsForAnswers(t *testing.T) {
	c, client := pair(t, testLimits)
	c.Started()
	filled := make(chan error)
	go func() { filled <- c.Fill() }()
	c.Stop()
	c.ReadBy(time.Now().Add(time.Hour)) // does not undo it
	c.say("answer")
	c.Finished()
	if err := <-filled; !errors.Is(err, ErrStopping) {
		t.Error(err)
	}
	c.say(" end")
	c.CloseAfterFlush(nil)
	if got, err := io.ReadAll(client); err != nil || string(got) != "answer end" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAClientThatSaysNoMoreGetsItsAnswers(t *testing.T) {
	c, client := pair(t, testLimits)
	c.Started()
	_ = client.CloseWrite()
	filled := make(chan error)
	go func() { filled <- c.Fill() }()
	for c.awaited.Load() != 0 { // until it waits for the answer
		time.Sleep(time.Millisecond)
	}
	c.say("answer")
	c.Finished()
	if err := <-filled; !errors.Is(err, io.EOF) {
		t.Error(err)
	}
	c.Close(nil)
	if got, err := io.ReadAll(client); err != nil || string(got) != "answer" {
		t.Errorf("%q %v", got, err)
	}
	c, client = pair(t, testLimits)
	c.EndAtEOF()
	c.Started()
	_ = client.CloseWrite()
	if err := c.Fill(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestTheLastWordArrivesThoughInputWasNotRead(t *testing.T) {
	c, client := pair(t, testLimits)
	go func() {
		_, _ = client.Write(make([]byte, 900<<10)) // most of it is thrown away
		_ = client.CloseWrite()
	}()
	if err := c.Fill(); err != nil {
		t.Fatal(err)
	}
	c.say("last word")
	c.CloseAfterFlush(ErrTooLong)
	if got, err := io.ReadAll(client); err != nil || string(got) != "last word" {
		t.Errorf("%q %v", got, err)
	}
}

func TestAllConnectionsShareABudget(t *testing.T) {
	limits := testLimits
	limits.Budget = NewBudget(300 << 10)
	a, aClient := pair(t, limits)
	b, bClient := pair(t, limits)
	fill := func(c *Conn, client net.Conn, n int) error {
		go func() { _, _ = client.Write(make([]byte, n)) }() // it may be cut off
		for len(c.Buffered()) < n {
			if err := c.Fill(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := fill(a, aClient, 200<<10); err != nil {
		t.Fatal(err)
	}
	if err := fill(b, bClient, 200<<10); !errors.Is(err, ErrNoMemory) {
		t.Fatal(err)
	}
	a.Discard(200 << 10)
	if _, err := aClient.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := a.Fill(); err != nil {
		t.Fatal(err)
	}
	if n := limits.Budget.Used(); n != 0 {
		t.Errorf("%d bytes are not given back", n)
	}
	if err := fill(a, aClient, 200<<10); err != nil {
		t.Fatal(err)
	}
	if _, head := a.Detach(); len(head) < 200<<10 {
		t.Errorf("%d bytes of input are handed over", len(head))
	}
	if n := limits.Budget.Used(); n != 0 {
		t.Errorf("%d bytes are not given back by Detach", n)
	}
	c, cClient := pair(t, limits)
	if err := fill(c, cClient, 200<<10); err != nil {
		t.Fatal(err)
	}
	c.Close(nil)
	c.Release()
	if n := limits.Budget.Used(); n != 0 {
		t.Errorf("%d bytes are not given back by Release", n)
	}
}

func TestWhoReadsWhileHeWaitsIsRousedByTheLastAnswer(t *testing.T) {
	pipeServer, pipeClient := net.Pipe()
	defer func() { _ = pipeClient.Close() }()
	socket, client := pair(t, testLimits)
	for name, ends := range map[string]struct {
		c      *Conn
		client net.Conn
	}{"socket": {socket, client}, "pipe": {New(pipeServer, 2, testLimits), pipeClient}} {
		c := ends.c
		for range 500 {
			c.Started()
			go c.Finished()
			if err := c.AwaitReading(); err != nil || c.InFlight() != 0 {
				t.Fatalf("%s: %v, %d in flight", name, err, c.InFlight())
			}
		}
		c.Started()
		done := make(chan error)
		go func() { done <- c.AwaitReading() }()
		_, _ = ends.client.Write([]byte("ahead")) // a failure shows in what is read
		c.Finished()
		if err := <-done; err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for len(c.Buffered()) < 5 {
			if err := c.Fill(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if string(c.Buffered()) != "ahead" {
			t.Errorf("%s: %q", name, c.Buffered())
		}
		c.Close(nil)
	}
}

func TestWhoReadsWhileHeWaitsSeesTheClientLeave(t *testing.T) {
	for name, end := range map[string]struct {
		do   func(c *Conn, client *net.TCPConn)
		want error
	}{
		"closes":       {func(_ *Conn, client *net.TCPConn) { _ = client.Close() }, io.EOF},
		"says no more": {func(_ *Conn, client *net.TCPConn) { _ = client.CloseWrite() }, io.EOF},
		"stops":        {func(c *Conn, _ *net.TCPConn) { c.Stop() }, ErrStopping},
		"is closed":    {func(c *Conn, _ *net.TCPConn) { c.Close(ErrSlowClient) }, nil},
	} {
		c, client := pair(t, testLimits)
		c.Started()
		done := make(chan error)
		go func() { done <- c.AwaitReading() }()
		end.do(c, client)
		if err := <-done; err == nil || end.want != nil && !errors.Is(err, end.want) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "stops" { // with an answer the connection comes to its end
			c.Finished()
			if err := c.Fill(); !errors.Is(err, ErrStopping) {
				t.Errorf("then %v", err)
			}
		}
	}
}

func TestAClientThatSendsMuchAheadIsNotReadWithoutBound(t *testing.T) {
	c, client := pair(t, testLimits)
	c.Started()
	done := make(chan error)
	go func() { done <- c.AwaitReading() }()
	sent := make(chan struct{})
	go func() {
		_, _ = client.Write(make([]byte, 64<<20)) // it is not read
		close(sent)
	}()
	for !c.waitsOnly() {
		time.Sleep(time.Millisecond) // the kernel takes a while to hand it over
	}
	c.Finished()
	if err := <-done; err != nil || len(c.Buffered()) < readAhead || len(c.Buffered()) > readAhead+largeInput {
		t.Errorf("%v, %d bytes", err, len(c.Buffered()))
	}
	c.Close(nil)
	_ = client.Close()
	<-sent
}

// waitsOnly reports whether the reader waits for answers and does not read.
func (c *Conn) waitsOnly() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.awaited.Load() == 0 && !c.rouse
}
