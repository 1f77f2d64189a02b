// Package torchtest runs the tests of packages that compute, on a device that the environment chooses.
package torchtest

import (
	"fmt"
	"os"
	"testing"

	"github.com/brainwavlm/bwlm/torch"
)

// Main runs a package's tests after [Start], and fails if they leave tensors behind.
func Main(m *testing.M) {
	Start()
	code := m.Run()
	if n := torch.Live(); n != 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d tensors are still alive\n", n)
		code = 1
	}
	os.Exit(code)
}

// Start sets torch up with one thread and starts it. The tests are small, and bits depend on the
// number of threads. Once torch has started, the device auto is the CPU, unless [Load] came before.
func Start() {
	if err := torch.Setup(torch.SetupOptions{Threads: 1}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	torch.Threads()
}
