//go:build !linux

package proc

import (
	"errors"
	"io/fs"
	"syscall"
)

// DiesWithParent makes a process end when this one does, however that ends, where the system can do so.
func DiesWithParent() *syscall.SysProcAttr { return nil }

// runsAs is DiesWithParent for a process that runs as somebody else, unless that is nil.
func runsAs(as *syscall.Credential) *syscall.SysProcAttr { return &syscall.SysProcAttr{Credential: as} }

// allocated returns the size of a file: what it takes of the disk is not known here.
func allocated(info fs.FileInfo) int64 { return info.Size() }

// Memory is what a process holds at one moment, in bytes.
type Memory struct {
	Resident  int64 // all of it: what top calls RES
	Anonymous int64 // of it, what is not a mapped file
}

// Memory is known on Linux only.
func (p *Process) Memory() (Memory, error) {
	return Memory{}, errors.New("the memory of a process is read from /proc, which only Linux has")
}

// ReadBytes is known on Linux only.
func (p *Process) ReadBytes() (int64, error) {
	return 0, errors.New("what a process has let the disk read is read from /proc, which only Linux has")
}

// DropCache works on Linux only.
func DropCache(string) error {
	return errors.New("a file is taken out of the page cache by posix_fadvise, which is used on Linux only")
}
