// Package valuetest is what tests of values that fail do alike.
package valuetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Code is an error as the tables of testdata write it. It has to be one of those that clients are told the code of.
func Code(t testing.TB, err error) string {
	t.Helper()
	known, ok := errors.AsType[*value.Error](err)
	if !ok {
		t.Fatalf("an error without a code: %v", err)
	}
	return fmt.Sprintf("error %d", known.Code)
}
