package bus

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Role is what a process does on the bus. It decides which user the process is there, and so what it may do.
type Role int

// The roles.
const (
	RoleBoth   Role = iota // it serves engines, and asks for others
	RoleEngine             // it serves engines
	RoleRouter             // it asks for engines
)

// UserPeople is who people are, with the nats CLI, where the bus has a secret. The password is the secret, as it is of the users
// of processes: permissions keep each from what is not its business by mistake, the secret keeps out everybody else.
const UserPeople = "flin"

// user returns the name of the user that a process is.
func (r Role) user() string {
	switch r {
	case RoleEngine:
		return "flin-engine"
	case RoleRouter:
		return "flin-router"
	default:
		return "flin-server"
	}
}

// inbox returns how the subjects begin on which a process is answered. No other user may read them.
func (r Role) inbox() string { return "_INBOX_" + r.user() }

// People may be sent so many messages as the answer to one of theirs, the last so long after it. What an engine may answer is
// remembered by the NATS server until then: it bounds its memory as well.
const (
	maxPeopleAnswers = 10_000
	maxPeopleWait    = time.Minute
)

// permissions returns what each user may do, and nothing more. deploy/nats/flin.conf says the same to a server that is not
// embedded.
func permissions() map[string]*server.Permissions {
	var endpoints []string // for people
	for _, id := range []wire.EngineID{wire.EngineKV, wire.EngineQueue, wire.EngineStream, wire.EngineDoc} {
		endpoints = append(endpoints, fmt.Sprintf("flin.%v.>", id))
	}
	asks := []string{"_flin.*.*.lead", "_flin.*.*.any", "_flin.*.*.node.*", "_flin.*.*.node.*.*", "_flin.*.*.node.*.*.ping"}
	// The doors are heard as one of a group, or else whoever listens there would be told of every link.
	serves := slices.Concat([]string{"_flin.*.*.lead lead", "_flin.*.*.any any", "_flin.*.*.node.>", "_flin.*.*.who", "$SRV.>"}, endpoints)
	// An engine that does not lead hands on what people ask of it, to one that does.
	handed := []string{"_flin.*.people.>"}
	who := []string{"_flin.*.*.who"} // those who serve tell one another
	answers := []string{RoleRouter.inbox() + ".>", RoleBoth.inbox() + ".>"}
	events := []string{"flin.events.>"}
	people := &server.ResponsePermission{MaxMsgs: maxPeopleAnswers, Expires: maxPeopleWait}

	may := func(response *server.ResponsePermission, sub []string, pub ...[]string) *server.Permissions {
		return &server.Permissions{
			Subscribe: &server.SubjectPermission{Allow: sub},
			Publish:   &server.SubjectPermission{Allow: slices.Concat(pub...)},
			Response:  response,
		}
	}
	own := func(r Role) []string { return []string{r.inbox() + ".>"} }
	return map[string]*server.Permissions{
		RoleEngine.user(): may(people, slices.Concat(own(RoleEngine), serves, handed), answers, handed, who, events),
		RoleRouter.user(): may(nil, own(RoleRouter), asks, events),
		RoleBoth.user():   may(people, slices.Concat(own(RoleBoth), serves, handed), answers, asks, handed, who, events),
		UserPeople:        may(nil, slices.Concat([]string{"_INBOX.>"}, events), []string{"$SRV.>"}, endpoints),
	}
}

// doorkeeper lets the users in who know the secret. It does what the server's own table of users does, but that the server
// warns of passwords in a configuration file, and takes a secret that looks like a hash for one.
type doorkeeper struct {
	secret [sha256.Size]byte // hashed, so that comparing takes as long whatever was given
	may    map[string]*server.Permissions
}

func newDoorkeeper(secret string) *doorkeeper {
	return &doorkeeper{secret: sha256.Sum256([]byte(secret)), may: permissions()}
}

// Check implements server.Authentication.
func (d *doorkeeper) Check(c server.ClientAuthentication) bool {
	given := c.GetOpts()
	may := d.may[given.Username]
	password := sha256.Sum256([]byte(given.Password))
	if subtle.ConstantTimeCompare(password[:], d.secret[:]) != 1 || may == nil {
		return false
	}
	c.RegisterUser(&server.User{Username: given.Username, Permissions: may})
	return true
}
