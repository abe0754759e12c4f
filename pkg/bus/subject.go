package bus

import (
	"fmt"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// subject returns the beginning of all subjects of an engine's group, without the last dot.
func subject(id wire.EngineID, group int) string { return fmt.Sprintf("_flin.%v.%d", id, group) }

// node returns the subject of one node below base.
func node(base, id string) string { return base + ".node." + token(id) }

// token makes any name a part of a subject: what NATS gives a meaning, or may not print, becomes = and two digits.
func token(name string) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
	}
	var b strings.Builder
	for i := range len(name) {
		if plain(name[i]) {
			b.WriteByte(name[i])
		} else {
			fmt.Fprintf(&b, "=%02x", name[i])
		}
	}
	if b.Len() == 0 {
		return "="
	}
	return b.String()
}
