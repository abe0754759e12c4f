package stream

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest/overbus"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTheEngineKeepsItsContractOverTheBus(t *testing.T) {
	overbus.Run(t, wire.EngineStream, contract(), &worlds)
}
