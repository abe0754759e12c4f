package flin

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAProgramThatUsesTheClientLinksNothingOfTheServer builds one outside the workspace.
func TestAProgramThatUsesTheClientLinksNothingOfTheServer(t *testing.T) {
	client, err := os.Getwd()
	must(t, err)
	dir := t.TempDir()
	const at = "github.com/skshohagmiah/flin/"
	files := map[string]string{
		"go.mod": fmt.Sprintf("module program\n\ngo 1.26\n\nrequire (\n\t%[1]sclients/go v0.0.0\n\t%[1]spkg/record v0.0.0\n\t%[1]spkg/wire v0.0.0\n)\n\n"+
			"replace (\n\t%[1]sclients/go => %[2]s\n\t%[1]spkg/record => %[3]s\n\t%[1]spkg/wire => %[4]s\n)\n",
			at, client, filepath.Join(client, "../../pkg/record"), filepath.Join(client, "../../pkg/wire")),
		"main.go": "package main\n\nimport flin \"" + at + "clients/go\"\n\nfunc main() { _, _ = flin.NewClient(nil) }\n",
	}
	for name, text := range files {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	run := func(args ...string) string {
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod", "GOPROXY=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	run("build", "-o", filepath.Join(dir, "program"), ".")
	sum, err := os.ReadFile(filepath.Join(dir, "go.sum"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, text := range []string{string(sum), run("list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".")} {
		for _, server := range []string{"badger", "raft", "nats", "prometheus", "zap"} {
			if strings.Contains(text, server) {
				t.Errorf("the client needs %s:\n%s", server, text)
			}
		}
	}
}
