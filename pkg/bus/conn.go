package bus

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Config says how to reach a bus. Start from Default.
type Config struct {
	URL  string // of one or several NATS servers, by comma
	Name string // what the servers call the connection in their lists
	// User and Password, Token, or a file with the seed of an nkey are the credentials; all empty: none.
	User, Password, Token, NKeySeed string
	// InboxPrefix begins the subjects on which answers are received. Users with prefixes of their own cannot read one another's.
	InboxPrefix string
	// ReconnectWait is how long it takes to try again after the connection was lost, and Jitter what chance adds.
	ReconnectWait, Jitter time.Duration
	// PingInterval is how often the NATS server is asked whether it is there; two answers may be missing.
	PingInterval time.Duration
	Log          *zap.Logger // nil is silence
}

// Default returns a Config for the server of this machine.
func Default() Config {
	return Config{
		URL: "nats://127.0.0.1:4222", Name: "flin", InboxPrefix: "_INBOX",
		ReconnectWait: 150 * time.Millisecond, Jitter: 100 * time.Millisecond, PingInterval: 5 * time.Second,
	}
}

// Validate returns every complaint about c at once.
func (c *Config) Validate() error {
	var errs []error
	if c.URL == "" {
		errs = append(errs, errors.New("bus: URL is empty (-bus)"))
	}
	if c.InboxPrefix == "" || strings.ContainsAny(c.InboxPrefix, "*> \t\r\n") {
		errs = append(errs, fmt.Errorf("bus: InboxPrefix is %q, must be a subject without wildcards", c.InboxPrefix))
	}
	if c.ReconnectWait <= 0 || c.Jitter < 0 || c.PingInterval <= 0 {
		errs = append(errs, errors.New("bus: ReconnectWait and PingInterval must be positive, Jitter not negative"))
	}
	return errors.Join(errs...)
}

// Conn is a connection to a bus, which is made again whenever it is lost. Servers and Engines share it; they are closed
// before it is.
type Conn struct {
	nc     *nats.Conn
	log    *zap.Logger
	closed chan struct{} // when the connection's goroutines have left

	mu    sync.Mutex // guards users
	users map[user]struct{}
}

// user is told what becomes of the connection, from a goroutine of its own.
type user interface {
	lost()           // whatever was on its way may not arrive
	back()           // it is there again
	choked(s string) // messages of a subscription to this subject were dropped
}

// Dial connects to a bus. One that is not there is no error: the connection is made when it is, and whoever asks meanwhile is
// answered Unavailable in time.
func Dial(cfg Config) (*Conn, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	c := &Conn{log: cfg.Log, closed: make(chan struct{}), users: make(map[user]struct{})}
	opts := []nats.Option{
		nats.Name(cfg.Name),
		nats.CustomInboxPrefix(cfg.InboxPrefix),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // a secret that is being changed is no reason to give up for ever
		nats.ReconnectWait(cfg.ReconnectWait),
		nats.ReconnectJitter(cfg.Jitter, cfg.Jitter),
		// What is sent while there is no connection must fail at once: kept back, it would be executed when nobody waits for it.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(cfg.PingInterval),
		nats.MaxPingsOutstanding(2),
		nats.ErrorHandler(c.failed),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			c.log.Warn("the connection to the bus is lost", zap.Error(err))
			c.tell(user.lost)
		}),
		nats.ConnectHandler(func(nc *nats.Conn) { c.connected(nc) }),
		nats.ReconnectHandler(func(nc *nats.Conn) { c.connected(nc) }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	switch {
	case cfg.NKeySeed != "":
		key, err := nats.NkeyOptionFromSeed(cfg.NKeySeed)
		if err != nil {
			return nil, fmt.Errorf("bus: read the key in %s (-bus-secret-file): %w", cfg.NKeySeed, err)
		}
		opts = append(opts, key)
	case cfg.Token != "":
		opts = append(opts, nats.Token(cfg.Token))
	case cfg.User != "":
		opts = append(opts, nats.UserInfo(cfg.User, cfg.Password))
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		return nil, fmt.Errorf("bus: connect to %s: %w", cfg.URL, err)
	}
	c.nc = nc
	return c, nil
}

// Connected reports whether there is a connection now.
func (c *Conn) Connected() bool { return c.nc.IsConnected() }

// Close ends the connection and returns when its goroutines have left.
func (c *Conn) Close() error {
	c.nc.Close()
	<-c.closed
	return nil
}

func (c *Conn) connected(nc *nats.Conn) {
	c.log.Info("connected to the bus", zap.String("server", nc.ConnectedServerName()), zap.String("at", nc.ConnectedUrlRedacted()))
	c.tell(user.back)
}

// failed hears of what goes wrong asynchronously.
func (c *Conn) failed(_ *nats.Conn, sub *nats.Subscription, err error) {
	where := ""
	if sub != nil {
		where = sub.Subject
	}
	c.log.Warn("an error on the bus", zap.String("subject", where), zap.Error(err))
	if sub != nil && errors.Is(err, nats.ErrSlowConsumer) {
		c.tell(func(u user) { u.choked(where) })
	}
}

func (c *Conn) tell(what func(u user)) {
	c.mu.Lock()
	all := make([]user, 0, len(c.users))
	for u := range c.users {
		all = append(all, u)
	}
	c.mu.Unlock()
	for _, u := range all {
		what(u)
	}
}

func (c *Conn) join(u user) {
	c.mu.Lock()
	c.users[u] = struct{}{}
	c.mu.Unlock()
}

func (c *Conn) leave(u user) {
	c.mu.Lock()
	delete(c.users, u)
	c.mu.Unlock()
}

// limit returns how long a data message may be: well below what the servers take, since a message on its way delays all
// behind it.
func (c *Conn) limit() int {
	most := int(c.nc.MaxPayload()) // 0 before the first connection
	if most <= 0 {
		most = maxMessage
	}
	return max(min(most-1<<10, maxMessage), 2<<10)
}

// publish sends a message. It is not sent, and surely not later, if unsent is set.
func (c *Conn) publish(to, reply string, data []byte) (unsent bool, err error) {
	if reply == "" {
		err = c.nc.Publish(to, data)
	} else {
		err = c.nc.PublishRequest(to, reply, data)
	}
	if err == nil {
		return false, nil
	}
	unsent = errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrMaxPayload)
	return unsent, err
}

// subscribe hears a subject, with queue as one of a group if it is not empty.
func (c *Conn) subscribe(subject, queue string, fn nats.MsgHandler) (*nats.Subscription, error) {
	var sub *nats.Subscription
	var err error
	if queue == "" {
		sub, err = c.nc.Subscribe(subject, fn)
	} else {
		sub, err = c.nc.QueueSubscribe(subject, queue, fn)
	}
	if err == nil {
		err = sub.SetPendingLimits(maxWaitingMessages, maxWaitingBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("bus: subscribe to %s: %w", subject, err)
	}
	return sub, nil
}

// gone reports whether a message says that nobody has heard what it answers.
func gone(m *nats.Msg) bool {
	return len(m.Data) == 0 && m.Header.Get("Status") == "503"
}

const (
	maxMessage         = 512 << 10 // bytes of a data message
	maxWaitingMessages = 1 << 16   // of one subscription; windows keep senders far below it
	maxWaitingBytes    = 1 << 30   // of one subscription; likewise
)
