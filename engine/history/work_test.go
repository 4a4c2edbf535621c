package history

import (
	"testing"

	"github.com/taximeter/taximeter/engine/enginetest"
)

func TestWork(t *testing.T) {
	enginetest.Work(t, func(t *testing.T) enginetest.WorkStore { return open(t, t.TempDir()) })
}
