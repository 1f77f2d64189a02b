package whisper

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	m.Run()
}
