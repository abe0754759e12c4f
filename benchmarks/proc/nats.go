package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// NATS is nats-server with JetStream in files. With always it fsyncs before it acknowledges (sync_interval: always); else
// it does so every two minutes, as it comes.
func NATS(name, program string, always bool) Recipe {
	return Recipe{
		Name: name, Program: program, Answers: greets,
		Files: func(dir string) map[string]string {
			conf := fmt.Sprintf("jetstream {\n  store_dir: %q\n", filepath.Join(dir, "store"))
			if always {
				conf += "  sync_interval: always\n"
			}
			return map[string]string{"nats.conf": conf + "}\n"}
		},
		Args: func(dir string, ports [3]int) []string {
			return []string{"-c", filepath.Join(dir, "nats.conf"), "-a", "127.0.0.1", "-p", fmt.Sprint(ports[0])}
		},
	}
}

// greets returns nil when the server at addr says who it is, which NATS does at once.
func greets(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && (!strings.HasPrefix(line, "INFO ") || !strings.Contains(line, `"jetstream":true`)) {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}

// writeFiles writes the files that the recipe wants in its data directory.
func (r *Recipe) writeFiles(dir string) error {
	if r.Files == nil {
		return nil
	}
	for name, text := range r.Files(dir) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	return nil
}
