package bus

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Config says how to reach a bus. Start from Default.
type Config struct {
	URL  string // of one or several NATS servers, by comma; there may be a user and a password in each: nats://user:password@host:port
	Name string // what the servers call the connection in their lists
	// Role is what this process does on the bus: which user it is, and on which subjects it is answered.
	Role Role
	// Secret is the password of that user, for servers whose URL has none. Empty: there it does not say who it is.
	Secret string
	// Guarded: a server that asks nobody who he is is not used, since everybody who reaches it could do everything.
	Guarded bool
	// ReconnectWait is how long it takes to try again after the connection was lost, and Jitter what chance adds.
	ReconnectWait, Jitter time.Duration
	// PingInterval is how often the NATS server is asked whether it is there; two answers may be missing.
	PingInterval time.Duration
	Log          *zap.Logger // nil is silence
}

// Default returns a Config for the server of this machine.
func Default() Config {
	return Config{
		URL: "nats://127.0.0.1:4222", Name: "flin",
		ReconnectWait: 150 * time.Millisecond, Jitter: 100 * time.Millisecond, PingInterval: 5 * time.Second,
	}
}

// Validate returns every complaint about c at once.
func (c *Config) Validate() error {
	var errs []error
	if c.URL == "" {
		errs = append(errs, errors.New("bus: URL is empty (-bus)"))
	}
	if c.Role < RoleBoth || c.Role > RoleRouter {
		errs = append(errs, fmt.Errorf("bus: Role is %d, must be one of the roles", c.Role))
	}
	if c.ReconnectWait <= 0 || c.Jitter < 0 || c.PingInterval <= 0 {
		errs = append(errs, errors.New("bus: ReconnectWait and PingInterval must be positive, Jitter not negative"))
	}
	return errors.Join(errs...)
}

// Conn is a connection to a bus, which is made again whenever it is lost. Servers and Engines share it; they are closed
// before it is.
type Conn struct {
	nc      *nats.Conn
	log     *zap.Logger
	role    Role
	guarded bool
	dialed  chan struct{} // closed when nc is set
	closed  chan struct{} // when the connection's goroutines have left
	// up says that there is a connection, for all that is known: nc itself does not answer while it makes one.
	up    atomic.Bool
	state sync.Mutex // held by whoever changes up
	// trouble is why there is none, if that is known.
	trouble atomic.Pointer[error]

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
	// What is wrong for long is said again with every attempt: not so often as that.
	seldom := zap.WrapCore(func(core zapcore.Core) zapcore.Core { return zapcore.NewSamplerWithOptions(core, logTick, logFirst, 0) })
	c := &Conn{log: cfg.Log.WithOptions(seldom), role: cfg.Role, guarded: cfg.Guarded, dialed: make(chan struct{}), closed: make(chan struct{}), users: make(map[user]struct{})}
	first := make(chan struct{}) // closed when it is known what has become of the first attempt
	tried := sync.OnceFunc(func() { close(first) })
	opts := []nats.Option{
		nats.Name(cfg.Name),
		nats.CustomInboxPrefix(cfg.Role.inbox()),
		nats.MaxReconnects(-1),
		nats.RetryOnFailedConnect(true),
		nats.IgnoreAuthErrorAbort(), // a secret that is being changed is no reason to give up for ever
		nats.CustomReconnectDelay(func(int) time.Duration { return c.pause() + cfg.ReconnectWait + rand.N(cfg.Jitter+1) }),
		// What is sent while there is no connection must fail at once: kept back, it would be executed when nobody waits for it.
		nats.ReconnectBufSize(-1),
		nats.PingInterval(cfg.PingInterval),
		nats.MaxPingsOutstanding(2),
		// A server that has stopped without a word takes nothing: whoever sends must not wait for that longer than for a lost one.
		nats.FlusherTimeout(writeLimit),
		nats.ErrorHandler(c.failed),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			c.away()
			if err != nil { // else Close was called
				c.log.Warn("the connection to the bus is lost", zap.Error(err))
			}
			c.tell(user.lost)
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) {
			c.refused(err)
			tried()
		}),
		nats.ConnectHandler(func(nc *nats.Conn) {
			c.connected(nc)
			tried()
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { c.connected(nc) }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	}
	if cfg.Secret != "" {
		opts = append(opts, nats.UserInfo(cfg.Role.user(), cfg.Secret)) // a user in the URL of a server goes before
	}
	nc, err := nats.Connect(cfg.URL, opts...)
	if err != nil {
		if parse, ok := errors.AsType[*url.Error](err); ok {
			err = parse.Err // without the URL: there may be a password in it
		}
		return nil, fmt.Errorf("bus: connect (-bus): %w", err)
	}
	c.nc = nc
	close(c.dialed)
	<-first
	return c, nil
}

// Connected reports whether there is a connection now.
func (c *Conn) Connected() bool { return c.up.Load() }

// Close ends the connection and returns when its goroutines have left. It may be called again.
func (c *Conn) Close() error {
	c.nc.Close()
	<-c.closed
	return nil
}

func (c *Conn) connected(nc *nats.Conn) {
	if c.open(nc) {
		c.trouble.Store(&errOpen)
		c.log.Error("the bus is not used", zap.String("at", nc.ConnectedAddr()), zap.Error(errOpen))
		return
	}
	c.trouble.Store(nil)
	c.here(nc)
	c.log.Info("connected to the bus", zap.String("server", nc.ConnectedServerName()), zap.String("at", nc.ConnectedAddr())) // of the URL a token would be shown
	c.tell(user.back)
}

// here notes that there is a connection, if there still is one.
func (c *Conn) here(nc *nats.Conn) {
	c.state.Lock()
	defer c.state.Unlock()
	c.up.Store(nc.IsConnected() && !c.open(nc))
}

// open reports whether the server lets everybody in although it must not.
func (c *Conn) open(nc *nats.Conn) bool { return c.guarded && !nc.AuthRequired() }

var errOpen = errors.New("the NATS server asks nobody who he is, although a secret or a password was given to this process: " +
	"give it users (deploy/nats/flin.conf)")

// away notes that there is none. It is called after nc knows it, so that here is not late with what was before.
func (c *Conn) away() {
	c.state.Lock()
	defer c.state.Unlock()
	c.up.Store(false)
}

// pause is called before all servers are tried again, and returns how long that is put off. Of a server that does not let this
// process in nats.go tells nobody before the first connection.
func (c *Conn) pause() time.Duration {
	select {
	case <-c.dialed:
	default:
		return 0
	}
	if err := c.nc.LastError(); errors.Is(err, nats.ErrAuthorization) {
		c.refused(err)
		return refusedPause
	}
	return 0
}

// refused hears of an attempt to connect that has failed.
func (c *Conn) refused(err error) {
	c.trouble.Store(&err)
	if errors.Is(err, nats.ErrAuthorization) {
		c.log.Error("the bus does not know this process: its secret is another (-bus-secret-file), or the user in -bus",
			zap.String("user", c.role.user()), zap.Error(err))
		return
	}
	c.log.Warn("the bus cannot be reached (-bus)", zap.Error(err))
}

// failed hears of what goes wrong asynchronously.
func (c *Conn) failed(_ *nats.Conn, sub *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrAuthorization) {
		return // pause tells
	}
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

// publish sends a message. It is not sent, and surely not later, if unsent is set. Without a connection it returns at once.
func (c *Conn) publish(to, reply string, data []byte) (unsent bool, err error) {
	if !c.up.Load() {
		if why := c.trouble.Load(); why != nil {
			return true, *why
		}
		return true, nats.ErrDisconnected
	}
	if reply == "" {
		err = c.nc.Publish(to, data)
	} else {
		err = c.nc.PublishRequest(to, reply, data)
	}
	unsent = errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrMaxPayload)
	return unsent, err
}

// subscribe hears a subject, with queue as one of a group if it is not empty.
func (c *Conn) subscribe(subject, queue string, hear nats.MsgHandler) (*nats.Subscription, error) {
	var sub *nats.Subscription
	var err error
	fn := func(m *nats.Msg) {
		if !c.up.Load() {
			c.here(c.nc) // a message may come before the news of its connection, and is to be answered
		}
		hear(m)
	}
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
	writeLimit   = 5 * time.Second  // for what is written to a NATS server
	refusedPause = time.Second      // until a server is asked again that did not let this process in: it notes every attempt
	logTick      = 10 * time.Second // in which
	logFirst     = 3                // lines of the same text are logged

	maxMessage         = 512 << 10 // bytes of a data message
	maxWaitingMessages = 1 << 16   // of one subscription; windows keep senders far below it
	maxWaitingBytes    = 1 << 30   // of one subscription; likewise
)
