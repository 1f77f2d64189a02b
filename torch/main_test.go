package torch_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// Settings of a test binary that a test starts again, since the thread pool is set up once in a
// process.
const (
	workersVariable  = "TORCH_TEST_WORKERS"  // size of the pool
	scenarioVariable = "TORCH_TEST_SCENARIO" // runs a scenario instead of the tests
)

// workers is how many workers this process has.
func workers() int {
	n, err := strconv.Atoi(os.Getenv(workersVariable))
	if err != nil {
		return 1
	}
	return n
}

func TestMain(m *testing.M) {
	if name := os.Getenv(scenarioVariable); name != "" {
		scenarios[name]()
		return
	}
	if err := torch.Setup(torch.SetupOptions{Workers: workers(), Threads: 2}); err != nil {
		panic(err)
	}
	torchtest.Load()
	code := m.Run()
	if n := torch.Live(); n != 0 {
		fmt.Printf("FAIL: %d tensors are left behind\n", n)
		code = 1
	}
	os.Exit(code)
}

// again runs this test binary in a process of its own, with more in its environment, and gives what
// it printed.
func again(t *testing.T, env []string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// The whole suite again, where several closures run at the same time.
func TestAgainWithThreeWorkers(t *testing.T) {
	out := again(t, []string{workersVariable + "=3"}, "-test.v", "-test.skip=^(TestAgain|TestScenario|TestMemory)")
	assert.Contains(t, out, "--- PASS: TestManyGoroutinesSameBits")
}

// The whole suite again, where the garbage collector runs all the time: what C++ holds must not
// depend on it.
func TestAgainWithMuchGarbageCollection(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	out := again(t, []string{"GOGC=1", "GODEBUG=cgocheck=1"}, "-test.v",
		"-test.skip=^(TestAgain|TestScenario|TestMemory)")
	assert.Contains(t, out, "--- PASS: TestArenaIsKeptAliveByItsTensors")
}

// noLeak fails the test if it leaves tensors behind.
func noLeak(t *testing.T) {
	t.Helper()
	before := torch.Live()
	t.Cleanup(func() { assert.Equal(t, before, torch.Live(), "tensors left behind") })
}

// do runs a closure and checks that it leaves no tensor.
func do(t *testing.T, mode torch.Mode, fn func(s *torch.Scope)) error {
	t.Helper()
	before := torch.Live()
	err := torch.Do(t.Context(), mode, func(s *torch.Scope) error { fn(s); return nil })
	assert.Equal(t, before, torch.Live(), "tensors left behind")
	return err
}

// infer runs fn in a closure without gradients, which must go well.
func infer(t *testing.T, fn func(s *torch.Scope)) {
	t.Helper()
	require.NoError(t, do(t, torch.Mode{}, fn))
}

// train runs fn in a closure with gradients and dropout, which must go well.
func train(t *testing.T, seed uint64, fn func(s *torch.Scope)) {
	t.Helper()
	require.NoError(t, do(t, torch.Mode{Grad: true, Dropout: true, Seed: seed}, fn))
}

// failure is the error of an operation that must fail.
func failure(t *testing.T, fn func(s *torch.Scope)) *torch.Error {
	t.Helper()
	var e *torch.Error
	require.ErrorAs(t, do(t, torch.Mode{}, fn), &e)
	assert.NotContains(t, e.Error(), "frame #", "no C++ backtrace")
	return e
}

// procStatus is a number of /proc/self/status, such as the kilobytes of VmRSS.
func procStatus(t *testing.T, field string) int {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, after, ok := strings.Cut(string(raw), field+":")
	require.True(t, ok, field)
	n, err := strconv.Atoi(strings.Fields(after)[0])
	require.NoError(t, err)
	return n
}
