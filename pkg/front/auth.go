package front

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"os"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// User is the only user there is; an empty name means him too.
const User = "default"

// PasswordFile reads the password of User from a file: its first line. It returns what Config.Password wants.
func PasswordFile(path string) (func(user, password string) bool, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the password (-password-file): %w", err)
	}
	line, _, _ := bytes.Cut(content, []byte{'\n'})
	line = bytes.TrimSuffix(line, []byte{'\r'})
	if len(line) == 0 {
		return nil, fmt.Errorf("the first line of %s (-password-file) is empty, must be the password", path)
	}
	want := sha256.Sum256(line)
	return func(user, password string) bool {
		got := sha256.Sum256([]byte(password)) // of equal length, so that the time tells nothing
		return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && (user == User || user == "")
	}, nil
}

// errProtected is what peers of other machines are told while there is no password.
var errProtected = &wire.Error{Code: wire.Unauthorized, Msg: "this server has no password and therefore serves its own machine only: " +
	"start it with -password-file to serve others by password, or with -protected=false to serve everybody"}

// isLoopback reports whether a peer is on this machine. A peer without an IP address (a pipe, a Unix socket) is.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}
