package systest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// setup is how the platform is spread over processes: FLIN_SETUP says which one the scenarios run on.
type setup string

const (
	allInOne setup = "allinone" // flin-server with the four engines: the default
	daemons  setup = "daemons"  // four daemons, and a router with the NATS server in it
	routers  setup = "routers"  // four daemons, two routers, and a NATS server of its own
)

func chosen(t testing.TB) setup {
	t.Helper()
	switch s := setup(os.Getenv("FLIN_SETUP")); s {
	case "":
		return allInOne
	case allInOne, daemons, routers:
		return s
	default:
		t.Fatalf("FLIN_SETUP=%q: choose %s, %s or %s", s, allInOne, daemons, routers)
		return ""
	}
}

// inOneProcess skips a scenario of another set-up: it is about the files, the flags or the start of one process.
func inOneProcess(t testing.TB) {
	t.Helper()
	if s := chosen(t); s != allInOne {
		t.Skipf("it is about one process, and FLIN_SETUP is %s", s)
	}
}

// overTheBus skips a scenario of the all-in-one.
func overTheBus(t testing.TB) {
	t.Helper()
	if chosen(t) == allInOne {
		t.Skip("everything is in one process: set FLIN_SETUP")
	}
}

// daemon is the process of an engine.
type daemon struct {
	process
	engine           wire.EngineID
	port, http, raft string
}

// backing is what a router has behind it, or beside it.
type backing struct {
	of      *server
	secret  string    // of the bus
	bus     string    // address of the NATS server
	nats    *process  // nil: the router has it
	daemons []*daemon // one for each engine
	second  *process  // another router; nil: there is one
	port    string    // of the second router
	http    string    // likewise
	deck    []int     // what strike kills next: the number of a process, or of all
}

func newBacking(s *server, as setup) *backing {
	b := &backing{of: s, secret: fmt.Sprintf("systest%x", rand.Uint64()), bus: freeAddr(s.t)}
	for program, id := range map[string]wire.EngineID{
		"kvd": wire.EngineKV, "queued": wire.EngineQueue, "streamd": wire.EngineStream, "docd": wire.EngineDoc,
	} {
		b.daemons = append(b.daemons, &daemon{
			process: process{t: s.t, program: program}, engine: id, port: freeAddr(s.t), http: freeAddr(s.t), raft: freeAddr(s.t),
		})
	}
	slices.SortFunc(b.daemons, func(x, y *daemon) int { return int(x.engine) - int(y.engine) })
	if as == routers {
		b.nats = &process{t: s.t, program: "nats-server"}
		b.second = &process{t: s.t, program: "flin-server (the second)"}
		b.port, b.http = freeAddr(s.t), freeAddr(s.t)
	}
	return b
}

// processes are those behind the router, in the order in which an operator would end them.
func (b *backing) processes() (all []*process) {
	if b.second != nil {
		all = append(all, b.second)
	}
	for _, d := range b.daemons {
		all = append(all, &d.process)
	}
	if b.nats != nil {
		all = append(all, b.nats)
	}
	return all
}

// daemon returns the process of an engine.
func (b *backing) daemon(id wire.EngineID) *daemon {
	return b.daemons[slices.IndexFunc(b.daemons, func(d *daemon) bool { return d.engine == id })]
}

// dir is the data directory of a daemon.
func (b *backing) dir(d *daemon) string { return filepath.Join(b.of.dir, d.program) }

// secretEnv tells a process the secret of the bus.
func (b *backing) secretEnv() string { return "FLIN_BUS_SECRET=" + b.secret }

// routerArgs are the flags of a router, but those for its addresses, and its environment.
func (b *backing) routerArgs() ([]string, string) {
	bus := "nats://" + b.bus
	if b.nats == nil {
		bus = "embed://" + b.bus
	}
	return []string{"-engines=remote", "-bus=" + bus}, b.secretEnv()
}

// spawn starts what does not run, but the router itself.
func (b *backing) spawn() {
	t := b.of.t
	t.Helper()
	if b.nats != nil && b.nats.cmd == nil {
		b.nats.run(os.Args[0], []string{natsServerEnv + "=" + b.bus, b.secretEnv()}, "-test.run=^TestNATSServerProcess$")
	}
	for _, d := range b.daemons {
		if d.cmd == nil {
			args := []string{
				"-node-id=" + d.program + "1", "-port=" + d.port, "-http=" + d.http, "-raft=" + d.raft, "-data=" + b.dir(d), "-bus=nats://" + b.bus,
			}
			d.run(binary(t, d.program), []string{b.secretEnv()}, append(args, b.flagsOf(d)...)...)
		}
	}
	if b.second != nil && b.second.cmd == nil {
		args, secret := b.routerArgs()
		args = append(args, "-node-id=node2", "-port="+b.port, "-http="+b.http)
		b.second.run(binary(t, "flin-server"), []string{secret}, append(args, b.of.args...)...)
	}
}

// flagsOf returns those of the router's flags that a daemon has as well.
func (b *backing) flagsOf(d *daemon) []string {
	return slices.DeleteFunc(slices.Clone(b.of.args), func(arg string) bool {
		return strings.HasPrefix(arg, "-groups") || strings.HasPrefix(arg, "-auto-create-topics") && d.engine != wire.EngineStream
	})
}

// storeDir is where the platform keeps what an engine stores.
func (s *server) storeDir(id wire.EngineID) string {
	dir := s.dir
	if s.behind != nil {
		dir = s.behind.dir(s.behind.daemon(id))
	}
	return filepath.Join(dir, "store", id.String())
}

// httpOf is the HTTP listener of an engine's process.
func (s *server) httpOf(id wire.EngineID) string {
	if s.behind != nil {
		return s.behind.daemon(id).http
	}
	return s.http
}

// stands reports whether an engine's process runs.
func (s *server) stands(id wire.EngineID) bool {
	if s.behind != nil {
		return s.behind.daemon(id).cmd != nil
	}
	return s.cmd != nil
}

// strike kills one of the processes that requests for an engine go through, or all: what the dice choose, but nothing again before
// everything had its turn. None of them may have ended by itself. What was killed is told to the test's log.
func (s *server) strike(t testing.TB, rng *rand.Rand, id wire.EngineID) {
	t.Helper()
	stillRuns(t, s)
	if s.behind == nil {
		s.kill()
		return
	}
	on := []*process{&s.process, &s.behind.daemon(id).process}
	for _, p := range []*process{s.behind.second, s.behind.nats} {
		if p != nil {
			on = append(on, p)
		}
	}
	b := s.behind
	if len(b.deck) == 0 {
		b.deck = rng.Perm(len(on) + 1)
	}
	if n := b.deck[0]; n < len(on) {
		on = on[n : n+1]
	} else {
		on = s.all()
	}
	b.deck = b.deck[1:]
	names := make([]string, len(on))
	for i, p := range on {
		names[i] = p.program
		p.kill()
	}
	t.Logf("killed: %s", strings.Join(names, ", "))
}

// stillRuns fails the test if a process of the platform has ended by itself.
func stillRuns(t testing.TB, s *server) {
	t.Helper()
	if p, err := s.fallen(); err != nil {
		t.Fatalf("by itself %v\n%s", err, p.log.tail(8<<10))
	}
}
