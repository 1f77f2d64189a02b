package probe_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/torch"
)

// TestMain computes on one thread: a regression is thousands of small products, for which threads cost more than they
// give, the more so where tests of other packages run beside this.
func TestMain(m *testing.M) {
	if err := torch.Configure(torch.Options{Threads: 1}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if n := torch.Live(); n != 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d tensors are still alive\n", n)
		code = 1
	}
	os.Exit(code)
}
