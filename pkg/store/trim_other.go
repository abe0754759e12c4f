//go:build !linux

package store

// trim does nothing here.
func (s *Store) trim() {}
