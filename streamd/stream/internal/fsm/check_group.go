package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// checkNames judges the names of a topic, a group and a consumer.
func checkNames(topic, group, consumer []byte) error {
	if err := wire.CheckName("topic", topic); err != nil {
		return err
	}
	if err := wire.CheckName("group", group); err != nil {
		return err
	}
	return wire.CheckName("consumer", consumer)
}

// CheckConsume is Check for an OpStreamConsume that has been decoded.
func CheckConsume(p *wire.StreamConsume) error {
	if err := checkNames(p.Topic, p.Group, p.Consumer); err != nil {
		return err
	}
	switch {
	case p.Count == 0:
		return wire.Errorf(wire.Invalid, "a consume asks for at least one record")
	case p.Count > wire.MaxBatch:
		return over("the count of records", p.Count, wire.MaxBatch)
	}
	return checkRoom(p.MaxBytes, p.Wait)
}

func checkConsume(_ *Machine, p *payloads, body []byte) error {
	if err := p.consume.Decode(body); err != nil {
		return err
	}
	return CheckConsume(&p.consume)
}

func checkSubscribe(_ *Machine, p *payloads, body []byte) error {
	if err := p.subscribe.Decode(body); err != nil {
		return err
	}
	s := &p.subscribe
	if err := checkNames(s.Topic, s.Group, s.Consumer); err != nil {
		return err
	}
	switch {
	case s.Assignor > wire.AssignRange:
		return wire.Errorf(wire.Invalid, "there is no assignor %d", s.Assignor)
	case s.Session > wire.MaxSession:
		return over("a session in ms", s.Session, wire.MaxSession)
	case s.Poll > wire.MaxPoll:
		return over("the ms between two consumes", s.Poll, wire.MaxPoll)
	}
	return nil
}

func checkHeartbeat(_ *Machine, p *payloads, body []byte) error {
	if err := p.member.Decode(body); err != nil {
		return err
	}
	return CheckHeartbeat(&p.member)
}

// CheckHeartbeat is Check for an OpStreamHeartbeat that has been decoded.
func CheckHeartbeat(p *wire.StreamMember) error { return checkNames(p.Topic, p.Group, p.Consumer) }

func checkUnsubscribe(_ *Machine, p *payloads, body []byte) error {
	if err := p.member.Decode(body); err != nil {
		return err
	}
	if len(p.member.Topic) > 0 {
		if err := wire.CheckName("topic", p.member.Topic); err != nil {
			return err
		}
	}
	if err := wire.CheckName("group", p.member.Group); err != nil {
		return err
	}
	return wire.CheckName("consumer", p.member.Consumer)
}

func checkCommit(_ *Machine, p *payloads, body []byte) error {
	if err := p.commit.Decode(body); err != nil {
		return err
	}
	x := &p.commit
	if err := wire.CheckName("topic", x.Topic); err != nil {
		return err
	}
	if err := wire.CheckName("group", x.Group); err != nil {
		return err
	}
	if len(x.Consumer) > 0 {
		if err := wire.CheckName("consumer", x.Consumer); err != nil {
			return err
		}
	}
	if len(x.Offsets) == 0 {
		return errNone
	}
	for i := range x.Offsets {
		if n := len(x.Offsets[i].Metadata); n > wire.MaxMetadata {
			return wire.Errorf(wire.TooLarge, "metadata of %d bytes is over the limit of %d", n, wire.MaxMetadata)
		}
	}
	return nil
}

// CheckSeek is Check for an OpStreamSeek that has been decoded.
func CheckSeek(p *wire.StreamSeek) error { return checkNames(p.Topic, p.Group, p.Consumer) }

func checkSeek(_ *Machine, p *payloads, body []byte) error {
	if err := p.seek.Decode(body); err != nil {
		return err
	}
	return CheckSeek(&p.seek)
}

// checkReset judges an OpStreamReset as a client sends it.
func checkReset(_ *Machine, p *payloads, body []byte) error {
	if err := decodeReset(p, body); err != nil {
		return err
	}
	switch {
	case len(p.reset.Resolved) > 0:
		return errResolved
	case p.reset.ByTime && p.reset.Offset < 0:
		return wire.Errorf(wire.Invalid, "%d is no time in ms since 1970", p.reset.Offset)
	}
	return nil
}

// checkResolved judges an OpStreamReset as the engine proposes it.
func checkResolved(p *payloads, body []byte) error {
	if err := decodeReset(p, body); err != nil {
		return err
	}
	if len(p.reset.Resolved) == 0 {
		return wire.Errorf(wire.Invalid, "a reset comes without the offsets that it resolves to")
	}
	return nil
}

func decodeReset(p *payloads, body []byte) error {
	if err := p.reset.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("topic", p.reset.Topic); err != nil {
		return err
	}
	return wire.CheckName("group", p.reset.Group)
}

func checkGroupName(_ *Machine, p *payloads, body []byte) error {
	if err := p.group.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("group", p.group.Group); err != nil {
		return err
	}
	if len(p.group.Topic) > 0 {
		return wire.CheckName("topic", p.group.Topic)
	}
	return nil
}

func checkEvict(_ *Machine, p *payloads, body []byte) error {
	if err := p.evict.Decode(body); err != nil {
		return err
	}
	return wire.CheckName("group", p.evict.Group)
}
