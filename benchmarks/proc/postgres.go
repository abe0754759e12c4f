package proc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// Debian keeps PostgreSQL's programs out of the path, a directory for each version.
const debianPostgres = "/usr/lib/postgresql/*/bin"

// FindPostgres returns the directory of PostgreSQL's programs: the one that is named, else that of postgres in the path, else
// the newest of Debian's.
func FindPostgres(named string) (bin string, err error) {
	if named != "" {
		if _, err := exec.LookPath(filepath.Join(named, "postgres")); err != nil {
			return "", err
		}
		return filepath.Abs(named)
	}
	if program, err := exec.LookPath("postgres"); err == nil {
		program, err = filepath.EvalSymlinks(program) // its other programs may not be in the path
		return filepath.Dir(program), err
	}
	found, err := filepath.Glob(debianPostgres)
	slices.SortFunc(found, func(a, b string) int { return postgresVersion(b) - postgresVersion(a) })
	for _, dir := range found {
		if _, err := exec.LookPath(filepath.Join(dir, "postgres")); err == nil {
			return dir, nil
		}
	}
	return "", errors.Join(err, fmt.Errorf("postgres: %w, nor in %s (Debian: apt-get install postgresql-15)", exec.ErrNotFound, debianPostgres))
}

// postgresVersion returns the version that one of Debian's directories is for.
func postgresVersion(bin string) int {
	n, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
	if err != nil {
		return 0
	}
	return n
}

// Postgres is PostgreSQL, its programs in the directory bin, with fsync and synchronous_commit as they are by default, and memory
// and log enough that no checkpoint is due in a measurement. Clients connect to a socket in its data directory, which is its
// address. It refuses to run as root, and runs as postgres or nobody then.
func Postgres(name, bin string) Recipe {
	return Recipe{
		Name: name, Program: filepath.Join(bin, "postgres"), Answers: welcomes, StopBy: syscall.SIGINT, As: postgresUser,
		Address: func(dir string) string { return dir },
		Init: func(dir string) (string, []string) {
			return filepath.Join(bin, "initdb"), []string{"-D", dir, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"}
		},
		Args: func(dir string, _ [3]int) []string {
			args := []string{"-D", dir}
			for _, setting := range []string{
				"listen_addresses=", "unix_socket_directories=" + dir, "fsync=on", "synchronous_commit=on", "shared_buffers=2GB", "max_wal_size=8GB",
			} {
				args = append(args, "-c", setting)
			}
			return args
		},
	}
}

// postgresUser returns who PostgreSQL runs as; nil: who runs this program.
func postgresUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, fmt.Errorf("PostgreSQL refuses to run as root: %w", err)
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

// welcomes returns nil when the server with a socket in dir lets a client in. While it starts it says so and does not.
func welcomes(ctx context.Context, dir string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	const startup = "user\x00postgres\x00database\x00postgres\x00\x00"
	const version = 3 << 16
	hello := binary.BigEndian.AppendUint32(nil, uint32(8+len(startup)))
	hello = append(binary.BigEndian.AppendUint32(hello, version), startup...)
	if _, err := conn.Write(hello); err != nil {
		return err
	}
	var answer [512]byte
	n, err := io.ReadAtLeast(conn, answer[:], 5)
	if err == nil && answer[0] != 'R' { // AuthenticationOk
		err = fmt.Errorf("it answers %q", bytes.Split(answer[5:n], []byte{0}))
	}
	return err
}
