package tune_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/brain/internal/studytest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Configure(torch.Options{Threads: 1}); err != nil { // bits depend on the number of threads
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	torchtest.Load()
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
