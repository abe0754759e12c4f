package conf

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// Format is the version of the data directory's layout that this program writes.
const Format = 1

// Stamp says whose a data directory is. It is written once, when the directory is made, and checked at every start.
type Stamp struct {
	Format     int    `json:"format"`
	Program    string `json:"program"` // whose directory it is: flin-server, kvd …
	Cluster    string `json:"cluster"` // the cluster's id, random
	Node       string `json:"node"`    // the node's id
	Partitions int    `json:"partitions"`
	Groups     Groups `json:"groups,omitempty"` // a directory from before there was a choice names none: its group is shared
}

// DataDir is a data directory that this process holds.
type DataDir struct {
	Path  string
	Stamp Stamp
	lock  *os.File
}

const (
	stampFile = "flin.json"
	lockFile  = "LOCK"
)

// OpenDataDir locks the data directory of c, making and stamping it where there is none, and checks that it belongs to
// this program and node. With -memory nothing is written and the stamp is new each time.
func OpenDataDir(c Config, program string) (*DataDir, error) {
	node, err := c.Node()
	if err != nil {
		return nil, err
	}
	fresh := Stamp{
		Format: Format, Program: program, Cluster: randomID(), Node: node,
		Partitions: c.Partitions, Groups: c.Groups,
	}
	if c.Memory {
		return &DataDir{Stamp: fresh}, nil
	}
	if err := os.MkdirAll(c.Data, 0o750); err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	lock, err := disk.Lock(filepath.Join(c.Data, lockFile))
	if errors.Is(err, disk.ErrLocked) {
		return nil, fmt.Errorf("data directory %s is in use: %w: stop it, or choose another -data", c.Data, err)
	}
	if err != nil {
		return nil, fmt.Errorf("-data: %w", err)
	}
	d := &DataDir{Path: c.Data, lock: lock}
	if err := d.readStamp(fresh, c); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// Close gives the directory back.
func (d *DataDir) Close() error {
	if d.lock == nil {
		return nil
	}
	return d.lock.Close()
}

func (d *DataDir) readStamp(fresh Stamp, c Config) error {
	path := filepath.Join(d.Path, stampFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return d.writeStamp(path, fresh)
	}
	if err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	if err := json.Unmarshal(text, &d.Stamp); err != nil {
		return fmt.Errorf("%s is damaged (%w): restore the data directory from a backup, or choose an empty -data", path, err)
	}
	if d.Stamp.Groups == "" && c.Groups != "" {
		d.Stamp.Groups = GroupsShared
	}
	s := d.Stamp
	switch {
	case s.Format > Format:
		return fmt.Errorf("data directory %s has format %d, this program reads up to %d: start it with the newer program that wrote it",
			d.Path, s.Format, Format)
	case s.Program != fresh.Program:
		return fmt.Errorf("data directory %s belongs to %s, this is %s: choose another -data", d.Path, s.Program, fresh.Program)
	case c.NodeID != "" && c.NodeID != s.Node:
		return fmt.Errorf("data directory %s belongs to node %q, -node-id says %q: leave -node-id out, or choose another -data",
			d.Path, s.Node, c.NodeID)
	case c.Partitions != s.Partitions:
		return fmt.Errorf("data directory %s was made with -partitions %d, now it is %d: the number cannot change; start with -partitions %d",
			d.Path, s.Partitions, c.Partitions, s.Partitions)
	case c.Groups != s.Groups:
		return fmt.Errorf("data directory %s was made with -groups %s, now it is %s: it cannot change; start with -groups %s",
			d.Path, s.Groups, c.Groups, s.Groups)
	}
	return nil
}

// writeStamp makes the stamp durable before anything else is written.
func (d *DataDir) writeStamp(path string, s Stamp) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the stamp: %w", err)
	}
	if err := disk.WriteFile(path, append(text, '\n')); err != nil {
		return fmt.Errorf("-data: %w", err)
	}
	d.Stamp = s
	return nil
}

func randomID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
