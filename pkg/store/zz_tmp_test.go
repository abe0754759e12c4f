package store

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func rss(what string) {
	b, _ := os.ReadFile("/proc/self/status")
	for _, l := range strings.Split(string(b), "\n") {
		if strings.HasPrefix(l, "VmRSS") || strings.HasPrefix(l, "RssAnon") || strings.HasPrefix(l, "RssFile") {
			fmt.Print(strings.Join(strings.Fields(l), " "), "; ")
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Printf("%s heap=%dM sys=%dM\n", what, m.HeapAlloc>>20, m.Sys>>20)
}

func TestTmpRSS(t *testing.T) {
	dir := os.Getenv("RSSDIR")
	if dir == "" {
		t.Skip()
	}
	rss("start")
	t0 := time.Now()
	s, err := Open(Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println("open", time.Since(t0))
	rss("open")
	var kb [64]byte
	const N = 1_000_000
	switch os.Getenv("RSSPHASE") {
	case "idle":
		time.Sleep(2 * time.Second)
		rss("idle")
	case "load":
		body := make([]byte, 128)
		for i := range body {
			body[i] = byte(rand.Uint32())
		}
		t0 := time.Now()
		for n := range uint64(N) {
			w := s.Begin()
			w.Set([]byte(fmt.Sprintf("key:%012d", n)), []byte("hdr"), append([]byte(nil), body...))
			w.Commit()
			if n%64 == 63 {
				advance(s)
			}
		}
		fmt.Println("load", time.Since(t0))
		<-s.Rotate()
		rss("loaded")
		if os.Getenv("KILL") != "" {
			os.Exit(0)
		}
	case "read":
		buf := make([]byte, 0, 1024)
		t0 := time.Now()
		v, ok, err := s.Get(fmt.Appendf(kb[:0], "key:%012d", 5), buf)
		fmt.Println("first get", len(v.Body), ok, err, time.Since(t0))
		for round := range 3 {
			t0 := time.Now()
			for range N {
				_, ok, err := s.Get(fmt.Appendf(kb[:0], "key:%012d", rand.Uint64N(N)), buf)
				if err != nil || !ok {
					t.Fatal(err, ok)
				}
			}
			fmt.Println("1M gets", time.Since(t0))
			rss(fmt.Sprint("round", round))
		}
		runtime.GC()
		rss("after gc")
	}
	t0 = time.Now()
	s.Close()
	fmt.Println("close", time.Since(t0))
}
