package wavlm

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/testdevice"
)

func TestMain(m *testing.M) {
	testdevice.Load()
	m.Run()
}
