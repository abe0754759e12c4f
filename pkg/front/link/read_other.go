//go:build !unix

package link

import "errors"

// sockets says whether readSocket works here.
const sockets = false

func readSocket(uintptr, []byte) (int, error) { return 0, errors.ErrUnsupported }
