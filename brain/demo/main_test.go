package demo

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/torch"
)

func TestMain(m *testing.M) {
	if err := torch.Configure(torch.Options{Threads: 1}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}
