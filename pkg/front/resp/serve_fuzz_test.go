package resp

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/front/link"
)

// Whatever a client sends, and whatever bytes an engine answers with, the connection goes on to its end.
func FuzzServe(f *testing.F) {
	for _, s := range []string{
		"HELLO 3\r\nMULTI\r\nGET a\r\nBITFIELD a GET u8 0\r\nMGET a b\r\nLCS a b IDX\r\nEXEC\r\n",
		"SET a b EX 10 GET\r\nSTRLEN a\r\nTTL a\r\nSCAN 0\r\nKEYS *\r\nDBSIZE\r\nRANDOMKEY\r\nINFO\r\n",
		"CLIENT LIST\r\nCOMMAND DOCS\r\nCOMMAND INFO get\r\nCONFIG GET *\r\nWATCH a\r\nCLIENT REPLY SKIP\r\nPING\r\nRESET\r\n",
		"Q.PUSH q b DELAY 1 HEADER a b\r\nQ.POP q COUNT 2\r\nQ.LEASE q WAIT 1\r\nQ.GET q 17-5\r\nQ.INFO q\r\nQ.LIST\r\nQ.CREATE q TTL 1\r\n",
		"LCS a b IDX WITHMATCHLEN\r\nBITPOS a 1 0 -1 BIT\r\nOBJECT FREQ a\r\nMEMORY USAGE a\r\nHELLO 2 SETNAME x\r\nQUIT\r\n",
	} {
		f.Add([]byte(s), []byte("\x01\x02\x03answer"))
	}
	f.Fuzz(func(t *testing.T, input, answer []byte) {
		if len(input) > 1<<16 || len(answer) > 1<<10 || strings.Contains(strings.ToLower(string(input)), "sleep") {
			return
		}
		near, far := net.Pipe()
		s := New(Config{Engine: &still{answer}})
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeConn(link.New(far, 1, link.Limits{MaxInput: 1 << 17, MaxOutput: 64 << 20, MaxInFlight: 16}))
		}()
		go func() {
			_, _ = near.Write(input) // the server may have closed already
			_, _ = io.WriteString(near, "\r\n*1\r\n$4\r\nQUIT\r\n")
			time.AfterFunc(5*time.Second, func() { _ = near.Close() })
		}()
		_, _ = io.Copy(io.Discard, near) // ends with the connection
		_ = near.Close()                 // both sides are done
		<-done
	})
}

func TestEveryReplyOfOddAnswersIsOne(t *testing.T) {
	for _, answer := range [][]byte{nil, {0}, {1}, {1, 0xff}, bytes.Repeat([]byte{0xff}, 40), bytes.Repeat([]byte{1}, 41)} {
		near, far := net.Pipe()
		s := New(Config{Engine: &still{answer}})
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.ServeConn(link.New(far, 1, link.Limits{MaxInput: 1 << 17, MaxOutput: 64 << 20, MaxInFlight: 16}))
		}()
		c := &client{tb: t, nc: near}
		c.r = bufio.NewReader(near)
		for _, line := range []string{
			"GET a", "MGET a b c", "STRLEN a", "TTL a", "BITFIELD a GET u8 0", "LCS a b IDX", "LCS a b LEN", "TYPE a", "MEMORY USAGE a",
			"OBJECT ENCODING a", "SCAN 0", "DBSIZE", "INFO", "SET a b GET",
			"Q.PUSH q b", "Q.MPUSH q a b", "Q.POP q", "Q.POP q COUNT 2", "Q.POP q WAIT 5", "Q.LEASE q", "Q.PEEK q", "Q.GET q 1", "Q.INFO q",
			"Q.LIST", "Q.ACK q AAAAAAAAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAAAAAA", "Q.LEN q",
		} {
			c.send(line)
			if got := c.read(); strings.Contains(got, "EOF") || strings.Contains(got, "length") {
				t.Errorf("%s: %q", line, got)
			}
		}
		_ = near.Close() // both sides are done
		<-done
	}
}
