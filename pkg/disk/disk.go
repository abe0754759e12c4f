// Package disk makes what is written to files last, and keeps two processes out of one folder.
package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrLocked is what Lock reports when a running process has the lock.
var ErrLocked = errors.New("a running process holds it")

// SyncDir makes the names in a folder durable: a file that was made, renamed or removed is so after a power cut as well.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// WriteFile makes a file with the given content, durable when it returns. After a crash there is the whole of it or what
// was there before. Its name with ".new" behind it is used on the way.
func WriteFile(path string, data []byte) error {
	tmp := path + ".new"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path))
}

// Lock takes the lock that is the file path, which is made if it is missing. The lock is given back by closing the file,
// or by the kernel when the process ends. Who holds it is in the file, as a process number. ErrLocked says that somebody does.
func Lock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		if errors.Is(err, ErrLocked) {
			owner := make([]byte, 32)
			n, _ := f.Read(owner) // who holds it is only told as a help
			err = fmt.Errorf("%w (pid %s)", ErrLocked, owner[:n])
		}
		return nil, errors.Join(err, f.Close())
	}
	if err = f.Truncate(0); err == nil {
		_, err = fmt.Fprintf(f, "%d", os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
