//go:build unix

package link

import "syscall"

// sockets says whether readSocket works here.
const sockets = true

// readSocket reads what a socket has, without waiting: EAGAIN when there is nothing.
func readSocket(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
