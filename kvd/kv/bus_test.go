package kv

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTheEngineKeepsItsContractOverTheBus(t *testing.T) {
	enginetest.RunIn(t, "bus", contract(), func(t *testing.T) engine.Engine {
		return bustest.Far(t, wire.EngineKV, newWorld(t, nil))
	})
}
