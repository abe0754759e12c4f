package web

import (
	"strconv"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// etag returns the entity tag of a version.
func etag(version uint64) string { return `"` + strconv.FormatUint(version, 10) + `"` }

// version reads the entity tag of a condition on a write, which must be one.
func version(tag string) (uint64, error) {
	quoted, ok := strings.CutPrefix(tag, `"`)
	if ok {
		quoted, ok = strings.CutSuffix(quoted, `"`)
	}
	v, err := strconv.ParseUint(quoted, 10, 64)
	if !ok || err != nil {
		return 0, wire.Errorf(wire.Invalid, `If-Match of a write is %s, must be * or one ETag, as "123"`, tag)
	}
	return v, nil
}

// matches reports whether a condition on a read, a list of tags or *, holds a version. weak says that a weak tag counts.
func matches(list string, version uint64, weak bool) bool {
	for tag := range strings.SplitSeq(list, ",") {
		tag = strings.TrimSpace(tag)
		if weak {
			tag = strings.TrimPrefix(tag, "W/")
		}
		if tag == "*" || tag == etag(version) {
			return true
		}
	}
	return false
}
