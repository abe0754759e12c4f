package bus

import (
	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// NATS returns the connection itself, for those below this package who speak with others than Flin. It is not theirs to close.
func (c *Conn) NATS() *nats.Conn { return c.nc }

// PeopleSubject returns the subject, without the last dot, below which one node takes what people ask of its engine and
// another node cannot answer.
func PeopleSubject(id wire.EngineID, node string) string {
	return "_flin." + id.String() + ".people." + token(node)
}
