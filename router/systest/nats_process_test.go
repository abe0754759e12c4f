package systest

import (
	"net"
	"os"
	"strconv"
	"testing"

	natsd "github.com/nats-io/nats-server/v2/server"
)

// natsServerEnv is the environment name of the address at which the test's binary runs a NATS server instead of tests.
const natsServerEnv = "FLIN_NATS_SERVER"

// natsConf is the configuration for a NATS server that the processes of the platform share, as operators are given it.
const natsConf = "../../deploy/nats/flin.conf"

// TestNATSServerProcess is no test: it is the NATS server of the set-up with one of its own, configured as nats-server configures
// itself from natsConf but for its address. It runs until it is killed.
func TestNATSServerProcess(t *testing.T) {
	addr := os.Getenv(natsServerEnv)
	if addr == "" {
		t.Skip("this is the NATS server of the set-up with one of its own")
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	opts, err := natsd.ProcessConfigFile(natsConf)
	if err != nil {
		t.Fatal(err)
	}
	opts.Host = host
	if opts.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	s, err := natsd.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.ConfigureLogger()
	s.Start() // it handles signals by itself
	s.WaitForShutdown()
}
