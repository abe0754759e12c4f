package conf

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func parse(t *testing.T, args ...string) Config {
	t.Helper()
	c := Default(":7380", ":8080", ":9080", "./data")
	app := &cli.App{Flags: c.Flags(), Action: func(*cli.Context) error { return nil }}
	if err := app.Run(append([]string{"flin-server"}, args...)); err != nil {
		t.Fatalf("parse %v: %v", args, err)
	}
	return c
}

func TestAFlagWinsOverItsEnvironmentNameWhichWinsOverTheDefault(t *testing.T) {
	t.Setenv("FLIN_WORKERS", "7")
	t.Setenv("FLIN_MAX_VALUE", "1MiB")
	c := parse(t, "-max-value=2MiB", "--node-id", "n1")
	if c.Workers != 7 || c.MaxValue != 2<<20 || c.NodeID != "n1" || c.Partitions != 64 {
		t.Fatalf("got workers %d, max value %d, node %q, partitions %d", c.Workers, c.MaxValue, c.NodeID, c.Partitions)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	c := parse(t, "-workers=0", "-port=nowhere", "-node-id=a b")
	err := c.Validate()
	if err == nil {
		t.Fatal("an invalid configuration was accepted")
	}
	for _, flag := range []string{"-workers 0", `-port "nowhere"`, `-node-id "a b"`} {
		if !strings.Contains(err.Error(), flag) {
			t.Errorf("the complaint does not name %s:\n%v", flag, err)
		}
	}
}

func TestSizes(t *testing.T) {
	for in, want := range map[string]Size{"0": 0, "512": 512, "64KiB": 64 << 10, "1.5 MiB": 3 << 19, "2GB": 2_000_000_000, "7B": 7} {
		var z Size
		if err := z.Set(in); err != nil || z != want {
			t.Errorf("%q = %d, %v; want %d", in, z, err, want)
		}
	}
	for _, in := range []string{"", "x", "-1", "1XB", "NaN", "1e300GiB"} {
		var z Size
		if err := z.Set(in); err == nil {
			t.Errorf("%q was taken for %d bytes", in, z)
		}
	}
	z := Size(32 << 20)
	if z.String() != "32MiB" {
		t.Errorf("32 MiB is written %s", z.String())
	}
}

func openDir(t *testing.T, c Config, program string) *DataDir {
	t.Helper()
	d, err := OpenDataDir(c, program)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestADataDirectoryBelongsToOneProcessNodeAndProgram(t *testing.T) {
	c := Default(":1", "", ":2", filepath.Join(t.TempDir(), "data"))
	c.NodeID = "node1"
	first := openDir(t, c, "kvd")

	refused := func(c Config, program, want string) {
		t.Helper()
		if _, err := OpenDataDir(c, program); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("opening gave %v, want a refusal that says %q", err, want)
		}
	}
	refused(c, "kvd", "a running process holds it")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	other := c
	other.NodeID = "node2"
	refused(other, "kvd", `belongs to node "node1"`)
	refused(c, "queued", "belongs to kvd")
	other = c
	other.Partitions = 8
	refused(other, "kvd", "-partitions 64")

	other = c
	other.NodeID = ""
	again := openDir(t, other, "kvd")
	if again.Stamp != first.Stamp {
		t.Errorf("the stamp changed from %+v to %+v", first.Stamp, again.Stamp)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}

	stamp := filepath.Join(c.Data, stampFile)
	if err := os.WriteFile(stamp, []byte(`{"format": 99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(c, "kvd", "has format 99")
	if err := os.WriteFile(stamp, []byte(`{"format`), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(c, "kvd", "is damaged")
}

func TestTheGroupsOfADataDirectoryCannotChange(t *testing.T) {
	c := Default(":1", "", ":2", filepath.Join(t.TempDir(), "data"))
	shut := func(d *DataDir) {
		t.Helper()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	shut(openDir(t, c, "flin-server")) // as it was before there was a choice
	c.Groups = GroupsPerEngine
	_, err := OpenDataDir(c, "flin-server")
	if err == nil || !strings.Contains(err.Error(), "-groups shared, now it is per-engine") {
		t.Errorf("a directory with one group opened with -groups per-engine: %v", err)
	}
	c.Groups = GroupsShared
	shut(openDir(t, c, "flin-server"))

	c.Data, c.Groups = filepath.Join(t.TempDir(), "data"), GroupsPerEngine
	shut(openDir(t, c, "flin-server"))
	shut(openDir(t, c, "flin-server"))
	c.Groups = GroupsShared
	if _, err := OpenDataDir(c, "flin-server"); err == nil || !strings.Contains(err.Error(), "-groups per-engine, now it is shared") {
		t.Errorf("a directory with a group for each engine opened with -groups shared: %v", err)
	}
}

func TestGroupsIsAFlagOfProgramsThatHaveTheChoice(t *testing.T) {
	c := parse(t)
	for _, f := range c.Flags() {
		if f.Names()[0] == "groups" {
			t.Error("a program of one engine has -groups")
		}
	}
	c.Groups = GroupsShared
	app := &cli.App{Flags: c.Flags(), Action: func(*cli.Context) error { return nil }}
	if err := app.Run([]string{"flin-server", "-groups=per-engine"}); err != nil || c.Groups != GroupsPerEngine {
		t.Fatalf("groups is %q: %v", c.Groups, err)
	}
	c.Groups = "many"
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), `-groups "many"`) {
		t.Errorf("the complaint is %v", err)
	}
}

func TestAutoCreateTopicsIsAFlagOfProgramsThatHaveStreams(t *testing.T) {
	c := parse(t)
	for _, f := range c.Flags() {
		if f.Names()[0] == "auto-create-topics" {
			t.Error("a program without streams has -auto-create-topics")
		}
	}
	c.AutoTopics = new(true)
	app := &cli.App{Flags: c.Flags(), Action: func(*cli.Context) error { return nil }}
	if err := app.Run([]string{"flin-server"}); err != nil || !*c.AutoTopics {
		t.Errorf("by default it is %v: %v", *c.AutoTopics, err)
	}
	if err := app.Run([]string{"flin-server", "-auto-create-topics=false"}); err != nil || *c.AutoTopics {
		t.Errorf("switched off it is %v: %v", *c.AutoTopics, err)
	}
}

func TestMemoryLeavesNothingBehind(t *testing.T) {
	c := Default(":1", "", ":2", filepath.Join(t.TempDir(), "data"))
	c.Memory = true
	d := openDir(t, c, "kvd")
	if _, err := os.Stat(c.Data); !os.IsNotExist(err) {
		t.Fatalf("the data directory was made: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
}
