package bus

// PublishEvents returns what publishes an event as a message to flin.events.<kind>, for whoever listens. It does not block, and
// what there is no connection for is lost: an event is news, and nobody waits for it.
func PublishEvents(c *Conn) func(kind string, text []byte) {
	return func(kind string, text []byte) {
		_, _ = c.publish("flin.events."+token(kind), "", text) // there is nobody to tell
	}
}
