package node

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestARouterServesWhatADaemonHas(t *testing.T) {
	at := address(t)
	router := launch(t, platform(), "-engines=remote", "-bus=embed://"+at, "-node-id=r1")
	without := func(engines ...string) {
		t.Helper()
		router.await("it expects "+strings.Join(engines, " and "), func(ready bool, why string) bool {
			for _, e := range []string{"kv", "queue"} {
				if strings.Contains(why, "the "+e+" engine") != strings.Contains(strings.Join(engines, " "), e) {
					return false
				}
			}
			return !ready && strings.Contains(why, `"status":503`)
		})
	}
	without("kv", "queue")
	kv := launch(t, daemonOf(wire.EngineKV), "-memory", "-bus=nats://"+at)
	without("queue")
	queue := launch(t, daemonOf(wire.EngineQueue), "-memory", "-bus=nats://"+at)
	router.awaitReady()

	client := router.client()
	if err := client.KV.Set("a", []byte("1")); err != nil {
		t.Fatal(err)
	}
	if v, err := kv.client().KV.Get("a"); err != nil || string(v) != "1" {
		t.Errorf("the daemon has %q: %v", v, err)
	}
	kv.end()
	without("kv")
	kv = launch(t, daemonOf(wire.EngineKV), "-memory", "-bus=nats://"+at)
	router.awaitReady()
	if err := client.KV.Set("a", []byte("2")); err != nil {
		t.Error(err)
	}
	router.end()
	kv.awaitReady() // it has clients of its own
	kv.end()
	queue.end()
}

func TestASecondInstallationIsNotServedOnABusThatHasOne(t *testing.T) {
	url := bustest.NATS(t, nil).URL()
	first := launch(t, daemonOf(wire.EngineKV), "-memory", "-bus="+url)
	first.awaitReady()
	second := launch(t, daemonOf(wire.EngineKV), "-memory", "-bus="+url) // the same node id, by default
	second.await("it says whose the bus is", func(ready bool, why string) bool {
		return !ready && strings.Contains(why, "NATS server or account of its own")
	})
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	for range 20 {
		if m, err := nc.Request("flin.kv.set.a", []byte("1"), 30*time.Second); err != nil || string(m.Data) != "OK" {
			t.Fatalf("%+v: %v", m, err)
		}
		if v, err := first.client().KV.Get("a"); err != nil || string(v) != "1" {
			t.Fatalf("the first has %q: %v", v, err)
		}
		if err := first.client().KV.Delete("a"); err != nil {
			t.Fatal(err)
		}
	}
	// It has clients of its own all the same.
	if err := second.client().KV.Set("b", []byte("2")); err != nil {
		t.Error(err)
	}
	second.end()
	first.end()
}

func TestAProcessHasSomeEnginesAndExpectsOthers(t *testing.T) {
	at := address(t)
	half := launch(t, platform(), "-engines=queue,remote", "-memory", "-bus=embed://"+at)
	half.await("it expects kv alone", func(ready bool, why string) bool {
		return !ready && strings.Contains(why, "the kv engine") && !strings.Contains(why, "queue")
	})
	kv := launch(t, daemonOf(wire.EngineKV), "-memory", "-bus=nats://"+at)
	half.awaitReady()
	if err := half.client().KV.Set("a", []byte("1")); err != nil {
		t.Error(err)
	}
	router := launch(t, platform(), "-engines=remote", "-bus=nats://"+at)
	router.awaitReady() // its queue engine is in the process with the bus
	router.end()
	half.end()
	kv.end()
}

func TestTheBusAProcessCannotHaveIsSaidAtItsStart(t *testing.T) {
	taken := bustest.NATS(t, nil).Addr().String()
	for args, want := range map[string]string{
		"-engines=remote":                           "-bus nats://",
		"-engines=remote -bus=off":                  "-bus nats://",
		"-memory -bus=embed://" + taken:             "-bus",
		"-memory -bus=embed://0.0.0.0:1":            "-bus-secret-file",
		"-memory -bus=nats://192.0.2.1":             "-bus-secret-file",
		"-memory -bus=embed -bus-secret-file=/none": "-bus-secret-file",
		"-memory -bus=embed://127.0.0.1:x":          "-bus",
	} {
		if said := refused(t, platform(), strings.Fields(args)...); !strings.Contains(said, want) {
			t.Errorf("%s: it says %q, and not %q", args, said, want)
		}
	}
}

func TestThePasswordOfClientsIsTheSecretOfAnEmbeddedBus(t *testing.T) {
	file, at := filepath.Join(t.TempDir(), "password"), address(t)
	if err := os.WriteFile(file, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	launch(t, platform(), "-memory", "-bus=embed://"+at, "-password-file="+file).awaitReady()
	if nc, err := nats.Connect("nats://" + at); err == nil {
		nc.Close()
		t.Error("a stranger is let in")
	}
	nc, err := nats.Connect("nats://"+at, nats.UserInfo("flin", "open sesame"))
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	// Those who expect its engines need the secret as well.
	t.Setenv("FLIN_BUS_SECRET", "open sesame")
	launch(t, platform(), "-engines=remote", "-bus=nats://"+at).awaitReady()
}

func TestPeopleAreAnsweredWhereverABusIs(t *testing.T) {
	at := address(t)
	launch(t, platform(), "-memory", "-bus=embed://"+at).awaitReady()
	nc, err := nats.Connect("nats://" + at)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	m, err := nc.Request("flin.kv.set.greeting", []byte("hello"), 30*time.Second)
	if err != nil || m.Header.Get("Nats-Service-Error") != "" {
		t.Fatalf("%+v: %v", m, err)
	}
	m, err = nc.Request("flin.kv.get.greeting", nil, 30*time.Second)
	if err != nil || string(m.Data) != "hello" {
		t.Fatalf("%+v: %v", m, err)
	}
}
