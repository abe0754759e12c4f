package replica

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// A connection between nodes begins with one line that says what it is for:
//
//	FLIN/1 raft <cluster> <group> <from>><to> <mac>\n
//
// cluster is the cluster's id, group the Raft group, from and to are the server ids (node/incarnation) of the caller and of
// the one it means to reach: a node whose disk was replaced is not the one that used to be at its address, and must neither
// vote nor acknowledge in its name. mac is the HMAC-SHA256 in hex, keyed by
// the cluster secret, of the line up to the blank before it; "-" without a secret.
const (
	preambleStart = "FLIN/1 raft "
	preambleMax   = 256
	preambleLimit = 10 * time.Second // to send the line
)

// preamble is what the line says.
type preamble struct{ cluster, group, from, to string }

// line returns the line, signed with secret.
func (p preamble) line(secret []byte) string {
	head := preambleStart + p.cluster + " " + p.group + " " + p.from + ">" + p.to
	return head + " " + sign(head, secret) + "\n"
}

// sign returns the line's last word.
func sign(head string, secret []byte) string {
	if len(secret) == 0 {
		return "-"
	}
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(head))
	return hex.EncodeToString(h.Sum(nil))
}

// parsePreamble reads a line without its end and verifies its signature.
func parsePreamble(line string, secret []byte) (preamble, error) {
	rest, ok := strings.CutPrefix(line, preambleStart)
	if !ok {
		return preamble{}, fmt.Errorf("it begins with %q instead of %q", line[:min(len(line), 32)], preambleStart)
	}
	words := strings.Split(rest, " ")
	if len(words) != 4 {
		return preamble{}, errors.New("its first line has not got four words")
	}
	head := line[:strings.LastIndexByte(line, ' ')]
	if !hmac.Equal([]byte(words[3]), []byte(sign(head, secret))) {
		return preamble{}, errors.New("its signature does not fit: both nodes need the same cluster secret (-cluster-secret-file)")
	}
	from, to, ok := strings.Cut(words[2], ">")
	if !ok || from == "" || to == "" || words[0] == "" || words[1] == "" {
		return preamble{}, errors.New("its first line does not say who calls whom")
	}
	return preamble{cluster: words[0], group: words[1], from: from, to: to}, nil
}

// readPreamble takes the first line from a new connection, byte by byte: what follows belongs to Raft.
func readPreamble(c net.Conn, secret []byte) (preamble, error) {
	if err := c.SetReadDeadline(time.Now().Add(preambleLimit)); err != nil {
		return preamble{}, err
	}
	var line [preambleMax]byte
	for n := range line {
		if _, err := c.Read(line[n : n+1]); err != nil {
			return preamble{}, fmt.Errorf("its first line did not come: %w", err)
		}
		if line[n] == '\n' {
			p, err := parsePreamble(string(line[:n]), secret)
			return p, errors.Join(err, c.SetReadDeadline(time.Time{}))
		}
	}
	return preamble{}, fmt.Errorf("its first line is longer than %d bytes", preambleMax)
}
