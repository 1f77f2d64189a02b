package planning

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	torchtest.Main(m)
}
