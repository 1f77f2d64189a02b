package peft

import (
	"testing"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// The models here are tiny: on a busy machine a second thread would only be waited for.
func TestMain(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{Threads: 1}); err != nil {
		panic(err)
	}
	torchtest.Load()
	m.Run()
}
