package bus

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// EmbedConfig says what NATS server runs in this process.
type EmbedConfig struct {
	// Host and Port are where it listens. A port that is taken is followed by the next that is free, unless Exact is set; −1 is any.
	Host  string
	Port  int
	Exact bool
	Name  string // of the server
	// MaxPayload bounds the messages, in bytes.
	MaxPayload int32
	// Secret is the password of all users: those of processes, who give it by themselves (Config.Secret), and UserPeople. Empty:
	// nobody need say who he is, and everybody may do everything, so that Host must be this machine's alone.
	Secret string
	Log    *zap.Logger // nil is silence
}

// DefaultEmbed returns a configuration for this machine alone.
func DefaultEmbed() EmbedConfig {
	return EmbedConfig{Host: "127.0.0.1", Port: 4222, Name: "flin", MaxPayload: 1 << 20}
}

// Validate returns every complaint about c at once.
func (c *EmbedConfig) Validate() error {
	var errs []error
	if c.Port < -1 || c.Port == 0 || c.Port > math.MaxUint16 {
		errs = append(errs, fmt.Errorf("bus: Port is %d, must be −1 or between 1 and %d", c.Port, math.MaxUint16))
	}
	if c.MaxPayload < minPayload || c.MaxPayload > maxPending {
		errs = append(errs, fmt.Errorf("bus: MaxPayload is %d, must be between %d and %d", c.MaxPayload, minPayload, maxPending))
	}
	if ip := net.ParseIP(c.Host); c.Secret == "" && c.Host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		errs = append(errs, fmt.Errorf("bus: without a secret (-bus-secret-file) the embedded server must listen on 127.0.0.1, not on %q (-bus)", c.Host))
	}
	return errors.Join(errs...)
}

const (
	minPayload = 2 << 10   // bytes of a message: less has no room for what is said beside a piece
	maxPending = 256 << 20 // bytes that wait for a client; one that leaves more unread is cut off
)

// nextPorts is how many ports are tried behind one that is taken.
const nextPorts = 100

// startLimit is how long the server may take until it accepts connections.
const startLimit = 10 * time.Second

// NATS is a NATS server in this process.
type NATS struct {
	s  *server.Server
	at *net.TCPAddr // where it listens, or has listened
}

// Embed runs a NATS server in this process: without JetStream, without signal handlers, and silent but for what it logs.
func Embed(cfg EmbedConfig) (*NATS, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	last := cfg.Port
	if !cfg.Exact {
		last = min(last+nextPorts, math.MaxUint16)
	}
	for port := cfg.Port; ; port++ {
		ns, err := embed(cfg, port)
		if err == nil || port < 0 || port >= last || !errors.Is(err, syscall.EADDRINUSE) {
			return ns, err
		}
	}
}

func embed(cfg EmbedConfig, port int) (*NATS, error) {
	where := net.JoinHostPort(cfg.Host, strconv.Itoa(port))
	// The server does not say in a way that a program understands that a port is taken: it is asked for first.
	if port > 0 {
		ln, err := net.Listen("tcp", where) //nolint:noctx // it does not wait
		if err != nil {
			return nil, fmt.Errorf("bus: the embedded server cannot listen on %s (-bus): %w", where, err)
		}
		_ = ln.Close() // the server takes it
	}
	opts := &server.Options{
		ServerName: cfg.Name, Host: cfg.Host, Port: port,
		NoSigs: true, NoLog: true, MaxPayload: cfg.MaxPayload, MaxPending: maxPending, DisableShortFirstPing: true,
	}
	if cfg.Secret != "" {
		opts.CustomClientAuthentication = newDoorkeeper(cfg.Secret)
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("bus: make the embedded server: %w", err)
	}
	if cfg.Log != nil {
		s.SetLogger(natsLog{cfg.Log.Sugar()}, false, false)
	}
	s.Start()
	// It listens when Start returns, or never will: somebody has taken the port meanwhile.
	at, listens := s.Addr().(*net.TCPAddr)
	if !listens {
		err = syscall.EADDRINUSE
	} else if !s.ReadyForConnections(startLimit) {
		err = fmt.Errorf("it is not ready after %v", startLimit)
	}
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("bus: start the embedded server on %s (-bus): %w", where, err)
	}
	return &NATS{s: s, at: at}, nil
}

// URL returns where it can be reached from this machine. There is no secret in it.
func (n *NATS) URL() string {
	at := *n.at
	if at.IP.IsUnspecified() { // it listens everywhere
		at.IP = net.IPv4(127, 0, 0, 1)
	}
	return "nats://" + at.String()
}

// Addr returns where it listens.
func (n *NATS) Addr() net.Addr { return n.at }

// Close ends the server and returns when its goroutines have left. Connections to it are closed before. It may be called again.
func (n *NATS) Close() error {
	n.s.Shutdown()
	n.s.WaitForShutdown()
	return nil
}

// natsLog passes on what the server has to say, except what it tells at every start.
type natsLog struct{ log *zap.SugaredLogger }

func (l natsLog) Noticef(format string, v ...any) { l.log.Debugf(format, v...) }
func (l natsLog) Warnf(format string, v ...any)   { l.log.Warnf(format, v...) }
func (l natsLog) Fatalf(format string, v ...any)  { l.log.Errorf(format, v...) }
func (l natsLog) Errorf(format string, v ...any)  { l.log.Errorf(format, v...) }
func (l natsLog) Debugf(format string, v ...any)  { l.log.Debugf(format, v...) }
func (l natsLog) Tracef(format string, v ...any)  { l.log.Debugf(format, v...) }
