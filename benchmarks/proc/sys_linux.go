package proc

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// DiesWithParent makes a process end when this one does, however that ends, where the system can do so.
func DiesWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// runsAs is DiesWithParent for a process that runs as somebody else, unless that is nil.
func runsAs(as *syscall.Credential) *syscall.SysProcAttr {
	attr := DiesWithParent()
	attr.Credential = as
	return attr
}

// allocated returns the bytes of the disk that a file takes: what is reserved and not written yet counts, holes do not.
func allocated(info fs.FileInfo) int64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * 512
	}
	return info.Size()
}

// Memory is what a process holds at one moment, in bytes.
type Memory struct {
	Resident  int64 // all of it: what top calls RES
	Anonymous int64 // of it, what is not a mapped file
}

// Memory reads what the process holds now.
func (p *Process) Memory() (Memory, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of process %d: %w", p.Pid(), err)
	}
	defer f.Close()
	var m Memory
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		to := map[string]*int64{"VmRSS": &m.Resident, "RssAnon": &m.Anonymous}[name]
		if to == nil {
			continue
		}
		kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil {
			return Memory{}, fmt.Errorf("memory of process %d: %w", p.Pid(), err)
		}
		*to = kib << 10
	}
	return m, nil
}

// ReadBytes returns how many bytes the process has let the disk read since it began: what came out of the page cache does not
// count.
func (p *Process) ReadBytes() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", p.Pid()))
	if err != nil {
		return 0, fmt.Errorf("reads of process %d: %w", p.Pid(), err)
	}
	for line := range strings.Lines(string(text)) {
		if name, rest, _ := strings.Cut(line, ":"); name == "read_bytes" {
			return strconv.ParseInt(strings.TrimSpace(rest), 10, 64)
		}
	}
	return 0, fmt.Errorf("reads of process %d: the system does not say", p.Pid())
}

// DropCache takes a file out of the page cache: what of it has not been written yet is written first. Pages that a process has
// mapped stay.
func DropCache(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("drop %s from the page cache: %w", file, err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		return fmt.Errorf("drop %s from the page cache: %w", file, err)
	}
	return nil
}
