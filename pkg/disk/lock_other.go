//go:build !unix

package disk

import "os"

// tryLock does nothing: the key tree's own lock keeps two processes apart here.
func tryLock(*os.File) error { return nil }
