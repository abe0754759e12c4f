package conf

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// server parses the flags of a program that has a choice of engines.
func server(t *testing.T, args ...string) (Config, error) {
	t.Helper()
	c := Default(":7380", ":8080", ":9080", "./data")
	c.Engines, c.Groups = AllEngines(), GroupsShared
	app := &cli.App{Flags: c.Flags(), Writer: io.Discard, Action: func(*cli.Context) error { return nil }}
	if err := app.Run(append([]string{"flin-server"}, args...)); err != nil {
		return c, err
	}
	return c, c.Validate()
}

func secretFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheBusIsEmbeddedWhereAServerHasEngines(t *testing.T) {
	for args, want := range map[string]Bus{
		"":                                      {Embed: true},
		"-engines=kv,doc":                       {Embed: true},
		"-bus=off":                              {Off: true},
		"-bus=embed":                            {Embed: true},
		"-bus=embed://127.0.0.1:4000":           {Embed: true, Addr: "127.0.0.1:4000"},
		"-engines=remote -bus=embed":            {Embed: true},
		"-engines=remote -bus=nats://localhost": {URLs: "nats://localhost"},
		"-engines=kv,remote -bus=nats://127.0.0.1:4222,tls://[::1]:4222": {URLs: "nats://127.0.0.1:4222,tls://[::1]:4222"},
	} {
		c, err := server(t, strings.Fields(args)...)
		if err != nil {
			t.Errorf("%q: %v", args, err)
			continue
		}
		got := c.OnBus()
		if got.text = ""; got != want {
			t.Errorf("%q: %+v, want %+v", args, got, want)
		}
	}
	c := parse(t) // a daemon has no choice of engines
	if b := c.OnBus(); !b.Off {
		t.Errorf("a daemon is on the bus without a flag: %+v", b)
	}
}

func TestABusOpenToStrangersIsRefused(t *testing.T) {
	secret := secretFile(t, "s3cret\n")
	const give = "-bus-secret-file"
	for args, want := range map[string]string{
		"-bus=embed://0.0.0.0:4222":                                  give,
		"-bus=embed://:4222":                                         give,
		"-bus=embed://example.org:4222":                              give,
		"-bus=nats://10.0.0.1:4222":                                  give,
		"-bus=nats://127.0.0.1:4222,nats://10.0.0.1:4222":            give,
		"-bus=nats://flin:pw@10.0.0.2:4222,nats://10.0.0.1:4222":     "nats://10.0.0.1:4222",
		"-bus=nats://10.0.0.1:4222 -password-file=" + secret:         give, // it is the secret of an embedded server only
		"-bus=embed://0.0.0.0:4222 -bus-secret-file=" + secret:       "",
		"-bus=embed://0.0.0.0:4222 -password-file=" + secret:         "",
		"-bus=nats://10.0.0.1:4222 -bus-secret-file=" + secret:       "",
		"-bus=nats://flin:pw@10.0.0.1:4222,nats://me:pw@example.org": "",
		"-bus=embed://localhost:4222":                                "",
		"-bus=nats://[::1]:4222":                                     "",
	} {
		_, err := server(t, strings.Fields(args)...)
		if want == "" && err != nil {
			t.Errorf("%q is refused: %v", args, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want a refusal that says %q", args, err, want)
		}
	}
	t.Setenv(SecretEnv, "s3cret")
	if _, err := server(t, "-bus=nats://10.0.0.1:4222"); err != nil {
		t.Errorf("with %s: %v", SecretEnv, err)
	}
}

func TestARefusalShowsNoPassword(t *testing.T) {
	_, err := server(t, "-bus=nats://flin:hunter2@10.0.0.1,nats://10.0.0.2")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("it says %v", err)
	}
	_, err = server(t, "-bus=nats://flin:hunter2@10.0.0.1,redis://10.0.0.2")
	if err == nil || !strings.Contains(err.Error(), "server 2 of 2") {
		t.Errorf("it says %v", err)
	}
	var b Bus
	if err := b.Set("nats://flin:hunter2@10.0.0.1:4222"); err != nil || strings.Contains(b.String(), "hunter2") {
		t.Errorf("it is written %s: %v", b.String(), err)
	}
}

func TestWhatTheBusCannotBe(t *testing.T) {
	for _, text := range []string{"on", "embed://", "embed://localhost", "embed://localhost:", "http://localhost:4222", "nats://", "localhost:4222", "nats://a,"} {
		if _, err := server(t, "-bus="+text); err == nil || !strings.Contains(err.Error(), "embed://host:port") {
			t.Errorf("-bus=%s: %v, want a refusal that says what to write", text, err)
		}
	}
}

func TestEnginesElsewhereNeedABus(t *testing.T) {
	for _, args := range []string{"-engines=remote", "-engines=kv,remote", "-engines=remote -bus=off"} {
		if _, err := server(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), "-bus nats://host:port") {
			t.Errorf("%s: %v, want a refusal that names -bus", args, err)
		}
	}
}

func TestTheChoiceOfEngines(t *testing.T) {
	c, err := server(t, "-engines=kv,stream,remote", "-bus=embed")
	if err != nil {
		t.Fatal(err)
	}
	e := c.Engines
	if !e.Has(wire.EngineKV) || !e.Has(wire.EngineStream) || e.Has(wire.EngineQueue) || e.Has(wire.EngineDoc) || !e.Remote || c.Stateless() {
		t.Errorf("kv,stream,remote is %+v", e)
	}
	if e.String() != "kv,stream,remote" {
		t.Errorf("it is written %s", e)
	}
	if _, err := server(t, "-engines=kv,sql"); err == nil || !strings.Contains(err.Error(), `"sql" is not an engine`) {
		t.Errorf("an engine sql: %v", err)
	}
	if _, err := server(t, "-engines=all,remote"); err == nil {
		t.Error("all and remote were taken together")
	}
}

func TestARouterNeedsNoDirectoryAndNoRaftPort(t *testing.T) {
	c, err := server(t, "-engines=remote", "-bus=embed", "-data=", "-raft=")
	if err != nil || !c.Stateless() {
		t.Errorf("stateless %v: %v", c.Stateless(), err)
	}
	if _, err := server(t, "-engines=kv", "-data=", "-raft="); err == nil || !strings.Contains(err.Error(), "-data") || !strings.Contains(err.Error(), "-raft") {
		t.Errorf("with an engine: %v", err)
	}
}

func TestTheSecretOfTheBus(t *testing.T) {
	file, password := secretFile(t, "from the file\r\nmore\n"), secretFile(t, "the password\n")
	secret := func(args ...string) string {
		t.Helper()
		c, err := server(t, args...)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.Secret()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if s := secret(); s != "" {
		t.Errorf("without any it is %q", s)
	}
	if s := secret("-password-file=" + password); s != "the password" {
		t.Errorf("of an embedded server with a password it is %q", s)
	}
	if s := secret("-password-file="+password, "-bus=nats://user:other@localhost"); s != "" {
		t.Errorf("of another's server it is %q: the password of clients must not be sent there", s)
	}
	if _, err := server(t, "-password-file="+password, "-bus=nats://localhost"); err == nil || !strings.Contains(err.Error(), "-bus-secret-file") {
		t.Errorf("a password, and a bus that asks for none: %v", err)
	}
	t.Setenv(SecretEnv, "from the environment")
	if s := secret("-password-file=" + password); s != "from the environment" {
		t.Errorf("with %s it is %q", SecretEnv, s)
	}
	if s := secret("-bus-secret-file=" + file); s != "from the file" {
		t.Errorf("with a file it is %q", s)
	}
	for _, path := range []string{secretFile(t, "\n"), file + ".none"} {
		c, err := server(t, "-bus-secret-file="+path)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := c.Secret(); err == nil || !strings.Contains(err.Error(), "-bus-secret-file") {
			t.Errorf("of %s it is %q, %v", path, s, err)
		}
	}
}

func TestABusMustAskWhereSomethingIsSecret(t *testing.T) {
	file := secretFile(t, "a secret\n")
	for args, want := range map[string]bool{
		"-bus=nats://localhost": false, "-bus=nats://user:word@localhost": true, "-bus=nats://token@localhost": true, "-bus=embed": false,
		"-bus=embed -password-file=" + file: true, "-bus=nats://localhost -bus-secret-file=" + file: true,
	} {
		c, err := server(t, strings.Fields(args)...)
		if err != nil {
			t.Fatal(err)
		}
		if c.Guarded() != want {
			t.Errorf("%s: guarded %v", args, c.Guarded())
		}
	}
}

func TestATokenInABusIsNotShown(t *testing.T) {
	var b Bus
	if err := b.Set("nats://s3cret@host:4222,nats://user:s3cret@host"); err != nil {
		t.Fatal(err)
	}
	if shown := b.String(); strings.Contains(shown, "s3cret") || !strings.Contains(shown, "user") {
		t.Errorf("it is shown as %s", shown)
	}
}
