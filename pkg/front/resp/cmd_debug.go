package resp

import (
	"strconv"
	"time"
)

// maxSleep is how many seconds a client may have its connection held for.
const maxSleep = 3600

// cmdDebug serves what test suites use of DEBUG.
func cmdDebug(c *conn, args [][]byte) {
	switch a := args[1]; {
	case fold(a, "help") && len(args) == 2:
		cmdHelp(c, args)
	case fold(a, "sleep") && len(args) == 3:
		seconds, err := strconv.ParseFloat(string(args[2]), 64)
		if err != nil || !(seconds > 0) { // also what is no number
			seconds = 0
		}
		c.sleep(time.Duration(min(seconds, maxSleep) * float64(time.Second)))
		c.replyOK()
	case fold(a, "set-active-expire") && len(args) == 3, fold(a, "jmap") && len(args) == 2:
		c.replyOK()
	default:
		c.fail("ERR unknown subcommand or wrong number of arguments for '" + cText(a, 128) + "'. Try DEBUG HELP.")
	}
}

// sleep holds this connection, and no other, for d, but no longer than it lasts.
func (c *conn) sleep(d time.Duration) {
	const step = 50 * time.Millisecond
	for end := time.Now().Add(d); c.link.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			return
		}
		time.Sleep(min(left, step))
	}
	c.newBatch()
}
