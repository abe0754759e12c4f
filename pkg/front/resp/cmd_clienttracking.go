package resp

import (
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdClientTracking(c *conn, args [][]byte) {
	var t tracking
	if !c.parseTracking(&t, args[3:]) {
		return
	}
	switch {
	case fold(args[2], "off"):
		c.stopTracking()
		c.replyOK()
		return
	case !fold(args[2], "on"):
		c.failSyntax()
		return
	}
	if msg := t.contradiction(c.tracking.Load()); msg != "" {
		c.fail(msg)
		return
	}
	if err := c.startTracking(&t); err != nil {
		resp := wire.Fail(err)
		c.failWire(&resp)
		return
	}
	c.replyOK()
}

func (c *conn) parseTracking(t *tracking, args [][]byte) bool {
	for i := 0; i < len(args); i++ {
		more := i+1 < len(args)
		switch a := args[i]; {
		case fold(a, "redirect") && more:
			i++
			if t.redirect != 0 {
				c.fail("ERR A client can only redirect to a single other client")
				return false
			}
			n, ok := parseInt(args[i])
			if !ok {
				c.failInteger()
				return false
			}
			t.redirect = uint64(n)
			if c.s.clients.get(t.redirect) == nil {
				c.fail("ERR The client ID you want redirect to does not exist")
				return false
			}
		case fold(a, "bcast"):
			t.bcast = true
		case fold(a, "optin"):
			t.optIn = true
		case fold(a, "optout"):
			t.optOut = true
		case fold(a, "noloop"):
			t.noLoop = true
		case fold(a, "prefix") && more:
			i++
			t.prefixes = append(t.prefixes, string(args[i]))
		default:
			c.failSyntax()
			return false
		}
	}
	return true
}

// contradiction is what is wrong with a wish to track, given what the client tracks already.
func (t *tracking) contradiction(old *tracking) string {
	switch {
	case len(t.prefixes) > 0 && !t.bcast:
		return "ERR PREFIX option requires BCAST mode to be enabled"
	case old != nil && old.bcast != t.bcast:
		return "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling " +
			"it with a different mode."
	case t.bcast && (t.optIn || t.optOut):
		return "ERR OPTIN and OPTOUT are not compatible with BCAST"
	case t.optIn && t.optOut:
		return "ERR You can't specify both OPTIN mode and OPTOUT mode"
	case old != nil && (t.optIn && old.optOut || t.optOut && old.optIn):
		return "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling " +
			"it with a different mode."
	}
	if !t.bcast {
		return ""
	}
	if len(t.prefixes) == 0 {
		t.prefixes = []string{""}
	}
	var have []string
	if old != nil {
		have = old.prefixes
	}
	for i, p := range t.prefixes {
		for _, q := range have {
			if strings.HasPrefix(p, q) || strings.HasPrefix(q, p) {
				return overlap(p, q, "an existing prefix")
			}
		}
		for _, q := range t.prefixes[i+1:] {
			if strings.HasPrefix(p, q) || strings.HasPrefix(q, p) {
				return overlap(p, q, "another provided prefix")
			}
		}
	}
	return ""
}

func overlap(p, q, what string) string {
	return "ERR Prefix '" + p + "' overlaps with " + what + " '" + q + "'. Prefixes for a single client must not overlap."
}

func cmdClientCaching(c *conn, args [][]byte) {
	t := c.tracking.Load()
	switch {
	case t == nil || !t.optIn && !t.optOut:
		c.fail("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode " +
			"enabled")
	case fold(args[2], "yes") && !t.optIn:
		c.fail("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.")
	case fold(args[2], "no") && !t.optOut:
		c.fail("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.")
	case fold(args[2], "yes"), fold(args[2], "no"):
		c.caching = true
		c.replyOK()
	default:
		c.failSyntax()
	}
}
