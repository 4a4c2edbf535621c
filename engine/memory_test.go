package engine_test

import (
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

func TestMemoryHistory(t *testing.T) {
	enginetest.History(t, func(*testing.T) engine.History { return &engine.MemoryHistory{} })
}
