package tune_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) {
	torchtest.Load()
	torchtest.Start()
	if dir := os.Getenv(studytest.ChildEnv); dir != "" {
		if err := studytest.TrainChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if n := torch.Live(); n != 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d tensors are still alive\n", n)
		code = 1
	}
	os.Exit(code)
}
