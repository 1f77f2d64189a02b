package dist

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

func TestMain(m *testing.M) { torchtest.Main(m) }
