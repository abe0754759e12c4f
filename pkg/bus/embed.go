package bus

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"go.uber.org/zap"
)

// EmbedConfig says what NATS server runs in this process.
type EmbedConfig struct {
	// Host and Port are where it listens. A port that is taken is followed by the next that is free; −1 is any.
	Host string
	Port int
	Name string // of the server
	// MaxPayload bounds the messages, in bytes.
	MaxPayload int32
	// User and Password must be given by everybody who connects; empty: nobody need say who he is.
	User, Password string
	Log            *zap.Logger // nil is silence
}

// DefaultEmbed returns a configuration for this machine alone.
func DefaultEmbed() EmbedConfig {
	return EmbedConfig{Host: "127.0.0.1", Port: 4222, Name: "flin", MaxPayload: 1 << 20}
}

// nextPorts is how many ports are tried behind one that is taken.
const nextPorts = 100

// startLimit is how long the server may take until it accepts connections.
const startLimit = 10 * time.Second

// NATS is a NATS server in this process.
type NATS struct{ s *server.Server }

// Embed runs a NATS server in this process: without JetStream, without signal handlers, and silent but for what it logs.
func Embed(cfg EmbedConfig) (*NATS, error) {
	for port := cfg.Port; ; port++ {
		ns, err := embed(cfg, port)
		if err == nil || cfg.Port <= 0 || port == cfg.Port+nextPorts || !errors.Is(err, syscall.EADDRINUSE) {
			return ns, err
		}
	}
}

func embed(cfg EmbedConfig, port int) (*NATS, error) {
	// The server would exit the process, or wait, over a port that is taken: it is asked for first.
	if port > 0 {
		ln, err := net.Listen("tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(port))) //nolint:noctx // it does not wait
		if err != nil {
			return nil, fmt.Errorf("bus: listen on %s port %d (-bus): %w", cfg.Host, port, err)
		}
		_ = ln.Close() // the server takes it
	}
	s, err := server.NewServer(&server.Options{
		ServerName: cfg.Name, Host: cfg.Host, Port: port, Username: cfg.User, Password: cfg.Password,
		NoSigs: true, NoLog: true, MaxPayload: cfg.MaxPayload, MaxPending: 256 << 20, DisableShortFirstPing: true,
	})
	if err != nil {
		return nil, fmt.Errorf("bus: make the embedded server: %w", err)
	}
	if cfg.Log != nil {
		s.SetLogger(natsLog{cfg.Log.Sugar()}, false, false)
	}
	s.Start()
	if !s.ReadyForConnections(startLimit) {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("bus: the embedded server on %s port %d (-bus) has not started in %v: %w", cfg.Host, port, startLimit, errNotListening(s))
	}
	return &NATS{s}, nil
}

// errNotListening guesses why a server does not accept connections: another program may have taken the port meanwhile.
func errNotListening(s *server.Server) error {
	if s.Addr() == nil {
		return syscall.EADDRINUSE
	}
	return errors.New("it is not ready")
}

// URL returns where it can be reached from this machine.
func (n *NATS) URL() string { return n.s.ClientURL() }

// Addr returns where it listens.
func (n *NATS) Addr() net.Addr { return n.s.Addr() }

// Close ends the server and returns when its goroutines have left. Connections to it are closed before.
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
