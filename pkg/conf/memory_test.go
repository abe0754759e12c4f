package conf

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheMemoryOfAContainerIsItsLimit(t *testing.T) {
	file := filepath.Join(t.TempDir(), "memory.max")
	for text, want := range map[string]int64{"max\n": 1000, "500\n": 500, "9223372036854771712\n": 1000, "": 1000, "0": 1000, "-1": 1000} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := limited(1000, []string{file, file + ".none"}); got != want {
			t.Errorf("with %q: %d, want %d", text, got, want)
		}
	}
	if MemoryTotal() <= 0 {
		t.Error("there is no memory")
	}
}

func TestTheCacheIsAPartOfTheMemory(t *testing.T) {
	for total, want := range map[int64]Size{256 << 20: leastCache, 16 << 30: 1 << 30, 1 << 40: mostCache} {
		if got := cacheOf(total); got != want {
			t.Errorf("of %d bytes: %d, want %d", total, got, want)
		}
	}
}
