package link

// Started counts a request that will be answered later, before it is handed on.
func (c *Conn) Started() { c.inFlight.Add(1) }

// Finished counts the last answer of a request. It is called after the answer was appended.
func (c *Conn) Finished() {
	if c.inFlight.Add(-1) <= c.awaited.Load() {
		c.mu.Lock()
		c.room.Signal()
		c.mu.Unlock()
	}
}

// InFlight returns the number of requests that have not been answered.
func (c *Conn) InFlight() int { return int(c.inFlight.Load()) }

// Drain is called by the reader between two requests: it writes when much has gathered, and waits while too many
// requests are unanswered. That is how a connection stops being read.
func (c *Conn) Drain() error {
	if c.inFlight.Load() >= int64(c.limits.MaxInFlight) {
		return c.Await(c.limits.MaxInFlight - 1)
	}
	if !c.full.Load() {
		return nil
	}
	err := c.sleep()
	c.wake()
	return err
}

// Await writes what is waiting to go out and returns when no more than n requests are unanswered.
func (c *Conn) Await(n int) error {
	if c.inFlight.Load() <= int64(n) {
		return nil
	}
	if err := c.sleep(); err != nil {
		c.wake()
		return err
	}
	c.awaited.Store(int64(n))
	c.mu.Lock()
	for c.closed == nil && c.inFlight.Load() > int64(n) {
		c.room.Wait()
	}
	c.awaited.Store(-1)
	c.awake = true
	err := c.closed
	c.mu.Unlock()
	return err
}
