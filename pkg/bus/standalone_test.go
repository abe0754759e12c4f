package bus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
)

func TestTheConfigurationFileSaysWhatTheEmbeddedServerDoes(t *testing.T) {
	t.Setenv("FLIN_BUS_SECRET", "s0123456789")
	opts, err := server.ProcessConfigFile("../../deploy/nats/flin.conf")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]*server.Permissions)
	for _, u := range opts.Users {
		if u.Password != "s0123456789" || u.Account == nil || u.Account.Name != "FLIN" {
			t.Errorf("user %s has password %q and account %v", u.Username, u.Password, u.Account)
		}
		got[u.Username] = u.Permissions
	}
	if diff := cmp.Diff(permissions(), got); diff != "" {
		t.Errorf("what users may do differs (- embedded, + file):\n%s", diff)
	}
	if opts.MaxPending != maxPending || opts.MaxPayload != DefaultEmbed().MaxPayload {
		t.Errorf("max_pending is %d and max_payload %d", opts.MaxPending, opts.MaxPayload)
	}
}
