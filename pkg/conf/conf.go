// Package conf is what an operator sets: the flags of every program with their environment names, and the data
// directory with the stamp that says whose it is.
package conf

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Config is what the flags of a program say. It is read once, at start.
type Config struct {
	NodeID         string        // empty: the data directory's stamp, else the host name
	Port           string        // address of the unified port
	HTTP           string        // address of the HTTP listener; empty: none
	Raft           string        // address of the Raft listener
	Data           string        // the data directory
	Workers        int           // requests that may be slow and run at once
	Partitions     int           // hash partitions of each engine, fixed when the data directory is made
	Groups         Groups        // how the engines share Raft groups, fixed likewise; empty: the program has one engine and no choice
	AutoTopics     *bool         // topics are made when they are first published to; nil: the program has no stream engine
	Memory         bool          // nothing on disk
	MaxMemory      Size          // with Memory: bytes of data
	CacheSize      Size          // bytes of values kept in memory for reads
	MaxRequest     Size          // bytes of one request
	MaxValue       Size          // bytes of one value
	MaxConnections int           // clients at once
	Engines        *Engines      // which engines the process has, and which it expects over the bus; nil: it has its own and no choice
	Bus            Bus           // how it is on the bus
	BusSecretFile  string        // holds the secret that all processes on the bus share; empty: see BusSecret
	BusSecret      string        // that secret, from the environment (SecretEnv)
	SlowRequest    time.Duration // requests that take longer are told of; 0: none
	PasswordFile   string        // holds the password of the user "default"; empty: none is asked for
	Protected      bool          // without a password serve loopback peers only
	LogLevel       string
	LogFormat      string
}

// Groups says how the engines of a process share Raft groups.
type Groups string

// The values of -groups.
const (
	GroupsShared    Groups = "shared"     // one group: one log, one leader
	GroupsPerEngine Groups = "per-engine" // a group for each engine
)

// Default returns the configuration of a program without flags; port, http and raft are its addresses, data its directory.
func Default(port, http, raft, data string) Config {
	total := MemoryTotal()
	return Config{
		Port: port, HTTP: http, Raft: raft, Data: data,
		Workers: 64, Partitions: 64, MaxMemory: Size(total / 2), CacheSize: cacheOf(total),
		SlowRequest: time.Second, BusSecret: os.Getenv(SecretEnv),
		MaxRequest: wire.MaxRequest, MaxValue: wire.MaxValue, MaxConnections: 20_000,
		Protected: true, LogLevel: "info", LogFormat: "console",
	}
}

// Flags returns the flags that fill c, whose present values are the defaults. A flag wins over its environment name,
// which wins over the default.
func (c *Config) Flags() []cli.Flag {
	str := func(name string, to *string, usage string) cli.Flag {
		return &cli.StringFlag{Name: name, EnvVars: env(name), Value: *to, Destination: to, Usage: usage}
	}
	num := func(name string, to *int, usage string) cli.Flag {
		return &cli.IntFlag{Name: name, EnvVars: env(name), Value: *to, Destination: to, Usage: usage}
	}
	size := func(name string, to *Size, usage string) cli.Flag {
		return &cli.GenericFlag{Name: name, EnvVars: env(name), Value: to, Usage: usage}
	}
	yes := func(name string, to *bool, usage string) cli.Flag {
		return &cli.BoolFlag{Name: name, EnvVars: env(name), Value: *to, Destination: to, Usage: usage}
	}
	flags := []cli.Flag{
		str("node-id", &c.NodeID, "`NAME` of this node (default: the data directory's, else the host name)"),
		str("port", &c.Port, "`ADDRESS` of the unified port: native, RESP and HTTP"),
		str("http", &c.HTTP, "`ADDRESS` for HTTP alone; empty for none"),
		str("raft", &c.Raft, "`ADDRESS` for the other nodes of the cluster"),
		str("data", &c.Data, "data `DIRECTORY`"),
		num("workers", &c.Workers, "scans and other slow requests served at once"),
		num("partitions", &c.Partitions, "hash partitions of each engine; fixed when the data directory is made"),
		yes("memory", &c.Memory, "keep everything in memory: nothing survives a restart"),
		size("max-memory", &c.MaxMemory, "with -memory: `BYTES` of data over which writes are refused"),
		size("cache-size", &c.CacheSize, "`BYTES` of memory for values that were read or written lately"),
		size("max-request", &c.MaxRequest, "`BYTES` of the largest request that is read"),
		size("max-value", &c.MaxValue, "`BYTES` of the largest value"),
		num("max-connections", &c.MaxConnections, "clients connected at once"),
		str("password-file", &c.PasswordFile, "`FILE` with the password of the user \"default\""),
		&cli.GenericFlag{
			Name: "bus", EnvVars: env("bus"), Value: &c.Bus, DefaultText: "embed where flin-server has an engine, else off",
			Usage: "`WHERE` engines are served to other processes: off, embed, embed://host:port or nats://[user:password@]host:port[,…]",
		},
		str("bus-secret-file", &c.BusSecretFile, "`FILE` with the secret that all processes on the bus share (or "+SecretEnv+": the secret itself)"),
		&cli.DurationFlag{
			Name: "slow-request", EnvVars: env("slow-request"), Value: c.SlowRequest, Destination: &c.SlowRequest,
			Usage: "requests that take longer than this are logged and counted; 0 for none",
		},
		yes("protected", &c.Protected, "without a password serve loopback peers only"),
		str("log-level", &c.LogLevel, "debug, info, warn or error"),
		str("log-format", &c.LogFormat, "console or json"),
	}
	if c.Engines != nil {
		flags = append(flags, &cli.GenericFlag{
			Name: "engines", EnvVars: env("engines"), Value: c.Engines,
			Usage: "`NAMES` of the engines of this process: all, or some of kv, queue, stream, doc; remote: the others are expected over the bus",
		})
	}
	if c.Groups != "" {
		flags = append(flags, str("groups", (*string)(&c.Groups), "Raft groups of the engines: shared (one log) or per-engine; fixed when the data directory is made"))
	}
	if c.AutoTopics != nil {
		flags = append(flags, yes("auto-create-topics", c.AutoTopics, "make a topic that is not there, with one partition, when it is published to"))
	}
	return flags
}

func env(flag string) []string {
	return []string{"FLIN_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))}
}

var nodeName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// Stateless reports whether the process has no engine itself: it keeps nothing, and has no peers.
func (c *Config) Stateless() bool { return c.Engines != nil && !c.Engines.Any() }

// Node returns what this node is called where no data directory says so.
func (c *Config) Node() (string, error) {
	if c.NodeID != "" {
		return c.NodeID, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("the host has no name; give -node-id: %w", err)
	}
	return host, nil
}

// Validate returns everything that is wrong with the configuration at once.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.NodeID != "" && !nodeName.MatchString(c.NodeID) {
		bad("-node-id %q: use 1 to 64 letters, digits, dots, dashes and underscores", c.NodeID)
	}
	for flag, addr := range map[string]string{"-port": c.Port, "-raft": c.Raft, "-http": c.HTTP} {
		if addr == "" && flag == "-http" || flag == "-raft" && c.Stateless() {
			continue
		}
		if _, _, err := net.SplitHostPort(addr); err != nil {
			bad("%s %q: write it as host:port or :port", flag, addr)
		}
	}
	if c.Data == "" && !c.Memory && !c.Stateless() {
		bad("-data: a directory is needed (or -memory)")
	}
	if c.Groups != "" && c.Groups != GroupsShared && c.Groups != GroupsPerEngine {
		bad("-groups %q: choose %s or %s", c.Groups, GroupsShared, GroupsPerEngine)
	}
	if c.SlowRequest < 0 {
		bad("-slow-request %v: choose a time, or 0", c.SlowRequest)
	}
	c.checkBus(bad)
	between := func(flag string, v, lo, hi int64) {
		if v < lo || v > hi {
			bad("%s %d: choose from %d to %d", flag, v, lo, hi)
		}
	}
	between("-workers", int64(c.Workers), 1, 10_000)
	between("-partitions", int64(c.Partitions), 1, 65_536)
	between("-max-connections", int64(c.MaxConnections), 1, 1_000_000)
	between("-max-value", int64(c.MaxValue), 1, wire.MaxCommand-(1<<20))
	between("-max-request", int64(c.MaxRequest), 1<<10, 1<<30)
	between("-cache-size", int64(c.CacheSize), 1<<20, 1<<40)
	if c.Memory {
		between("-max-memory", int64(c.MaxMemory), 1<<20, 1<<50)
	}
	return errors.Join(errs...)
}
