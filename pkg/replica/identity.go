package replica

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// formatVersion is the version of what lies in a group's folder.
const formatVersion = 1

// identityName is the file that says whose folder it is.
const identityName = "identity.json"

// identity is stamped into a group's folder when it is made; only engines may be added to it. The incarnation tells a node from one of the
// same name whose disk was lost: that one's votes must not be given twice.
type identity struct {
	Format      int    `json:"format"`
	Cluster     string `json:"cluster"`
	Group       string `json:"group"`
	Node        string `json:"node"`
	Incarnation string `json:"incarnation"`
	// Engines are those whose commands may be in the log. A folder from before they were noted names none.
	Engines []string `json:"engines,omitempty"`
}

// server returns the Raft server id.
func (id identity) server() string { return id.Node + "/" + id.Incarnation }

// newID returns n random bytes in hex.
func newID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// identify reads the folder's stamp, or stamps it.
func identify(cfg *Config) (identity, error) {
	fresh := identity{Format: formatVersion, Cluster: cfg.ClusterID, Group: cfg.Name, Node: cfg.NodeID, Incarnation: newID(4)}
	if fresh.Cluster == "" {
		fresh.Cluster = newID(8)
	}
	if cfg.Memory {
		return fresh, nil
	}
	path := filepath.Join(cfg.Dir, identityName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fresh, stamp(path, fresh)
	}
	if err != nil {
		return identity{}, fmt.Errorf("read the stamp of group %s: %w", cfg.Name, err)
	}
	var id identity
	if err := json.Unmarshal(b, &id); err != nil {
		return identity{}, fmt.Errorf("the stamp %s is damaged: %w; restore it from a backup", path, err)
	}
	if id.Incarnation == "" {
		return identity{}, fmt.Errorf("the stamp %s is damaged: it names no incarnation; restore it from a backup", path)
	}
	switch {
	case id.Format > formatVersion:
		return identity{}, fmt.Errorf("%s was written in format %d, this program knows up to %d: run the newer program", cfg.Dir, id.Format, formatVersion)
	case id.Node != cfg.NodeID:
		return identity{}, fmt.Errorf("%s belongs to node %q, this is node %q (-node-id): give each node its own data folder", cfg.Dir, id.Node, cfg.NodeID)
	case id.Group != cfg.Name:
		return identity{}, fmt.Errorf("%s belongs to group %q, not to %q (-groups)", cfg.Dir, id.Group, cfg.Name)
	case cfg.ClusterID != "" && id.Cluster != cfg.ClusterID:
		return identity{}, fmt.Errorf("%s belongs to cluster %s, not to %s: a node cannot change its cluster; empty its data folder first", cfg.Dir, id.Cluster, cfg.ClusterID)
	}
	return id, nil
}

// stamp writes the identity so that a crash leaves either none or all of it.
func stamp(path string, id identity) error {
	b, err := json.MarshalIndent(id, "", "  ")
	if err == nil {
		err = disk.WriteFile(path, append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("stamp %s: %w", path, err)
	}
	return nil
}
