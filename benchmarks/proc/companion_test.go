package proc

import (
	"fmt"
	"os"
	"testing"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

func TestCompanionsRunBesideTheirServerAndEndWithIt(t *testing.T) {
	r := helper(t, "serve")
	var told [2][3]int
	r.Companions = []Companion{{Name: "beside", Program: os.Args[0], Args: func(_ string, server, own [3]int) []string {
		told = [2][3]int{server, own}
		return []string{freeport.Address(own[0])}
	}}}
	s, err := Launch(t.Context(), t.TempDir(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Companions) != 1 || s.Companions[0].Alive() != nil || s.Companions[0].Addr != freeport.Address(told[1][0]) {
		t.Fatalf("companions: %+v", s.Companions)
	}
	if s.Addr != freeport.Address(told[0][0]) {
		t.Errorf("the server is at %s, its companion was told of %s", s.Addr, fmt.Sprint(told[0]))
	}
	p := s.Companions[0]
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if p.Alive() == nil {
		t.Error("the companion is alive after Close")
	}
}
