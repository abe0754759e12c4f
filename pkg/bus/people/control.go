package people

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"
)

// controls returns what is answered on the subjects by which micro services are found: all of them, all of this name, this one.
func (s *Service) controls() map[string]func() any {
	of := map[micro.Verb]func() any{
		micro.PingVerb: func() any { return micro.Ping{ServiceIdentity: s.identity(), Type: micro.PingResponseType} },
		micro.InfoVerb: func() any { return s.info() }, micro.StatsVerb: func() any { return s.stats() },
	}
	all := make(map[string]func() any)
	for verb, answer := range of {
		base := micro.APIPrefix + "." + verb.String()
		for _, subject := range []string{base, base + "." + s.name(), base + "." + s.name() + "." + s.id} {
			all[subject] = answer
		}
	}
	return all
}

func (s *Service) control(m *nats.Msg, answer func() any) {
	text, err := json.Marshal(answer())
	if err == nil {
		err = m.Respond(text)
	}
	if err != nil {
		s.log.Warn("who is there was not answered", zap.String("subject", m.Subject), zap.Error(err))
	}
}

func (s *Service) name() string { return "flin-" + s.cfg.Engine.String() }

// identity says which instance of which service this is, and what it is at this moment.
func (s *Service) identity() micro.ServiceIdentity {
	now := s.cfg.Standing()
	role := "follower"
	switch {
	case now.Leads:
		role = "leader"
	case now.Leader == "":
		role = "without a leader"
	}
	return micro.ServiceIdentity{Name: s.name(), ID: s.id, Version: s.cfg.Version, Metadata: map[string]string{
		"engine": s.cfg.Engine.String(), "node": s.cfg.Node, "group": s.cfg.Group, "role": role, "leader": now.Leader,
		"term": strconv.FormatUint(now.Term, 10),
	}}
}

func (s *Service) info() micro.Info {
	info := micro.Info{ServiceIdentity: s.identity(), Type: micro.InfoResponseType, Description: describe(s.cfg.Engine)}
	for i := range s.list {
		info.Endpoints = append(info.Endpoints, s.list[i].info(s.prefix))
	}
	return info
}

// info describes an endpoint to those who have never read about it.
func (e *endpoint) info(prefix string) micro.EndpointInfo {
	about := map[string]string{"answer": e.answer}
	if e.name != "" {
		about["name"] = "of the " + e.name
		if e.optional {
			about["name"] += "; may be left out"
		}
	}
	if e.body != "" {
		about["body"] = e.body
	}
	if len(e.options) > 0 {
		about["headers"] = "Flin-" + strings.Join(e.options, ", Flin-")
	}
	return micro.EndpointInfo{Name: e.verb, Subject: e.subject(prefix), QueueGroup: queueGroup, Metadata: about}
}

func (s *Service) stats() micro.Stats {
	stats := micro.Stats{ServiceIdentity: s.identity(), Type: micro.StatsResponseType, Started: s.started}
	for i := range s.list {
		e := &s.list[i]
		one := s.figures[e.verb].stats()
		one.Name, one.Subject, one.QueueGroup = e.verb, e.subject(s.prefix), queueGroup
		stats.Endpoints = append(stats.Endpoints, &one)
	}
	return stats
}
