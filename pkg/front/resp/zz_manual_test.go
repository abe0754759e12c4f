package resp

import (
	"fmt"
	"os"
	"testing"
	"time"
)

func TestManual(t *testing.T) {
	if os.Getenv("MANUAL") == "" {
		t.Skip()
	}
	s := serve(t, nil)
	fmt.Println("ADDR", s.addr)
	os.WriteFile(os.Getenv("MANUAL"), []byte(s.addr), 0o644)
	time.Sleep(60 * time.Second)
}
