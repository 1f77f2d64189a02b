// Package torchtest runs the tests of packages that compute, on a device of choice.
package torchtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/torch"
)

// Main runs a package's tests on one thread, for which all tests are small: bits depend on the number of threads, and
// where tests of other packages run beside these a second one would only be waited for. Tensors that are left behind
// are a failure.
func Main(m *testing.M) {
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
