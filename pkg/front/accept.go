package front

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/front/link"
)

// accept takes connections until the listener is closed.
func (f *Front) accept(ln net.Listener, onlyHTTP bool) {
	pause := time.Duration(0)
	for {
		nc, err := ln.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of file descriptors, most likely: somebody has to leave first
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			f.log.Warn("cannot accept a connection", zap.Error(err), zap.Duration("next", pause))
			time.Sleep(pause)
			continue
		}
		pause = 0
		if c := f.admit(nc, onlyHTTP); c != nil {
			go f.serve(c, onlyHTTP)
		}
	}
}

// admit counts a connection in, or tells its client why it cannot be.
func (f *Front) admit(nc net.Conn, onlyHTTP bool) *link.Conn {
	f.mu.Lock()
	if f.stopping {
		f.mu.Unlock()
		_ = nc.Close() // nobody serves it any more
		return nil
	}
	if len(f.conns) >= f.cfg.MaxConnections {
		f.mu.Unlock()
		f.refused(nc, NeedMore, "limit")
		text := fmt.Sprintf("max number of clients reached: the limit is %d (-max-connections)", f.cfg.MaxConnections)
		if onlyHTTP {
			text = fmt.Sprintf("HTTP/1.1 503 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s\n",
				http.StatusText(http.StatusServiceUnavailable), len(text)+1, text)
		} else {
			text = "-ERR " + text + "\r\n"
		}
		_ = nc.SetWriteDeadline(time.Now().Add(time.Second)) // it has an empty buffer: it does not wait
		_, _ = nc.Write([]byte(text))
		_ = nc.Close()
		return nil
	}
	f.lastID++
	c := link.New(nc, f.lastID, f.cfg.Limits)
	f.conns[c.ID()] = c
	f.serving.Add(1)
	f.mu.Unlock()
	return c
}

// serve serves one connection to its end.
func (f *Front) serve(c *link.Conn, onlyHTTP bool) {
	defer f.serving.Done()
	silent := f.metrics.open.WithLabelValues(NeedMore.String())
	silent.Inc()
	verdict := f.detect(c, onlyHTTP)
	silent.Dec()
	if verdict != NeedMore {
		f.metrics.total.WithLabelValues(verdict.String()).Inc()
		open := f.metrics.open.WithLabelValues(verdict.String())
		open.Inc()
		f.hand(c, verdict)
		open.Dec()
	}
	c.Close(nil) // whoever served it has done so already, or it never spoke
	c.Release()
	f.mu.Lock()
	delete(f.conns, c.ID())
	f.mu.Unlock()
}

// detect reads until the protocol is known. NeedMore is a client that left, or was silent until the server stopped.
func (f *Front) detect(c *link.Conn, onlyHTTP bool) Verdict {
	for first := true; ; first = false {
		err := c.Fill()
		if err != nil && len(c.Buffered()) > 0 && c.Err() == nil && !errors.Is(err, link.ErrStopping) {
			return Unknown // it did not say enough in time
		}
		if err != nil {
			return NeedMore
		}
		if onlyHTTP {
			return HTTP
		}
		if v := Detect(c.Buffered()); v != NeedMore {
			if !first {
				c.ReadBy(time.Time{})
			}
			return v
		}
		if first {
			c.ReadBy(time.Now().Add(f.cfg.DetectTimeout))
		}
	}
}

// hand gives the connection to the server of its protocol.
func (f *Front) hand(c *link.Conn, v Verdict) {
	peer := c.NetConn().RemoteAddr()
	denied := f.cfg.Protected && f.cfg.Password == nil && !f.loopback(peer)
	if denied {
		f.refused(c.NetConn(), v, "protected")
	}
	switch v {
	case Native:
		if denied {
			f.native.Refuse(c, errProtected)
			return
		}
		f.native.ServeConn(c)
	case RESP:
		switch {
		case denied:
			f.lastLine(c, "-DENIED "+errProtected.Msg)
		case f.cfg.RESP == nil:
			f.reject(c)
		default:
			f.cfg.RESP.ServeConn(c)
		}
	case HTTP, H2C:
		if denied {
			f.web.Refuse(c, errProtected)
			return
		}
		f.web.ServeConn(c)
	case TLS, Kafka, Mongo, Proxy:
		f.refused(c.NetConn(), v, "unserved")
		f.log.Info("closing a connection whose protocol is not served", zap.Stringer("protocol", v), zap.Stringer("peer", peer))
		c.CloseAfterFlush(nil)
	default:
		f.reject(c)
	}
}

// reject ends a connection whose protocol is not known.
func (f *Front) reject(c *link.Conn) {
	f.metrics.rejected.WithLabelValues(fmt.Sprintf("%02x", c.Buffered()[0])).Inc()
	f.tell(c.NetConn(), Unknown, "unknown")
	f.lastLine(c, "-ERR protocol not recognised")
}

func (f *Front) lastLine(c *link.Conn, line string) {
	c.End(append(append(c.Begin(), line...), "\r\n"...))
	c.CloseAfterFlush(nil)
}
