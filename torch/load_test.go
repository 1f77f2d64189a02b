package torch_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// scenarios are lives of a process of its own, since CUDA is loaded before the first closure or
// never. Each prints what it found.
var scenarios = map[string]func(){
	"late": func() {
		say("closure", torch.Infer(context.Background(), nothing))
		say("load", torch.LoadCUDA())
		say("setup", torch.Setup(torch.SetupOptions{}))
		say("devices", torch.CUDADevices())
		device, err := torch.OpenDevice("auto")
		say("auto", device, err)
		_, err = torch.OpenDevice("cuda")
		say("cuda", fault.KindOf(err), err)
	},
	"names": func() {
		for _, name := range []string{"cpu", "auto", "", "cuda", "cuda:99", "gpu", "cuda0", "cuda:", "cuda:-1",
			"cuda:x"} {
			device, err := torch.OpenDevice(name)
			say(name, device, fault.KindOf(err), err)
		}
		say("step", step(torch.CPU))
	},
	"early": func() {
		say("devices", torch.CUDADevices())
		err := torch.LoadCUDA()
		say("kind", fault.KindOf(err), err)
		say("setup", torch.Setup(torch.SetupOptions{Threads: 1}))
		say("step", step(torch.CPU))
		if err == nil {
			say("again", torch.LoadCUDA())
		}
	},
	"cpu": func() {
		say("step", step(torch.CPU))
		say("cuda", step(torch.CUDA(0)))
		maps, err := os.ReadFile("/proc/self/maps")
		if err != nil {
			panic(err)
		}
		for _, lib := range []string{"libtorch_cpu", "libtorch_cuda", "libc10_cuda", "libcuda.", "libcublas",
			"libcudnn"} {
			say(lib, strings.Contains(string(maps), lib))
		}
	},
	"reexec": func() { // what comes before Setup happens twice
		say("start", os.Getpid())
		say("setup", torch.Setup(torch.SetupOptions{Threads: 1, KeepMemory: true, Reexec: true}))
		for _, name := range policyVariables {
			say(name, os.Getenv(name))
		}
		say("step", step(torch.CPU), torch.Threads())
	},
}

// policyVariables are read by libgomp and malloc before main.
var policyVariables = []string{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "MALLOC_ARENA_MAX"}

func say(what string, found ...any) { fmt.Printf("%s: %s", what, fmt.Sprintln(found...)) }

// step is one training step on a device.
func step(d torch.Device) error {
	return torch.Do(context.Background(), torch.Mode{Grad: true, Device: d}, func(s *torch.Scope) error {
		w := s.Full(3, 2).RequireGrad(true)
		w.Square().Sum().Backward()
		if g := w.Grad(s).Float32s(); g[0] != 6 {
			return fmt.Errorf("gradient %v", g)
		}
		return nil
	})
}

// scenario runs one and gives its lines.
func scenario(t *testing.T, name string) string {
	t.Helper()
	return again(t, []string{scenarioVariable + "=" + name})
}

// cudaIsFetched says whether the CUDA half of libtorch lies beside the other.
func cudaIsFetched() bool {
	_, err := os.Stat(filepath.Join(filepath.Dir(torch.Library()), "libtorch_cuda.so"))
	return !errors.Is(err, os.ErrNotExist)
}

func TestScenarioLoadAfterTheFirstClosure(t *testing.T) {
	out := scenario(t, "late")
	assert.Contains(t, out, "closure: <nil>\n")
	assert.Contains(t, out, "load: "+torch.ErrStarted.Error()+"\n")
	assert.Contains(t, out, "setup: "+torch.ErrStarted.Error()+"\n")
	assert.Contains(t, out, "devices: 0\n")
	assert.Contains(t, out, "auto: cpu <nil>\n")
	assert.Contains(t, out, fmt.Sprintf("cuda: %d open device: cuda: %v\n", fault.Unavailable, torch.ErrStarted))
}

func TestScenarioNamesOfDevices(t *testing.T) {
	out := scenario(t, "names")
	assert.Contains(t, out, fmt.Sprintf("cpu: cpu %d <nil>\n", fault.Internal))
	for _, name := range []string{"gpu", "cuda0", "cuda:", "cuda:-1", "cuda:x"} {
		assert.Contains(t, out, fmt.Sprintf("%s: cpu %d open device: %s: is not one of auto, cpu, cuda, cuda:N\n", name,
			fault.Usage, name))
	}
	assert.Contains(t, out, fmt.Sprintf("cuda:99: cpu %d open device: cuda:99: ", fault.Unavailable))
	assert.Contains(t, out, "step: <nil>\n", "the CPU serves in any case")
	if !cudaIsFetched() {
		assert.Contains(t, out, fmt.Sprintf("auto: cpu %d <nil>\n: cpu %d <nil>\n", fault.Internal, fault.Internal))
	}
}

func TestScenarioLoadBeforeTheFirstClosure(t *testing.T) {
	out := scenario(t, "early")
	assert.Contains(t, out, "devices: 0\n", "before LoadCUDA, and without harm to it")
	assert.Contains(t, out, "setup: <nil>\n")
	assert.Contains(t, out, "step: <nil>\n", "the CPU serves in any case")
	if cudaIsFetched() {
		assert.Contains(t, out, fmt.Sprintf("kind: %d <nil>\n", fault.Internal))
		assert.Contains(t, out, "again: <nil>\n")
		return
	}
	assert.Contains(t, out, fmt.Sprintf("kind: %d load CUDA: ", fault.Unavailable))
	assert.Contains(t, out, "scripts/fetch_libtorch.sh cuda")
}

func TestScenarioTheCPUNeverLoadsCUDA(t *testing.T) {
	out := scenario(t, "cpu")
	assert.Contains(t, out, "step: <nil>\n")
	assert.Contains(t, out, "there is no CUDA device, or CUDA was not loaded")
	assert.Contains(t, out, "libtorch_cpu: true\n")
	assert.NotContains(t, strings.Replace(out, "libtorch_cpu: true", "", 1), ": true")
}

func TestScenarioReexec(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, name := range append(policyVariables, "OMP_NUM_THREADS") { // the Makefile sets them
		t.Setenv(name, "")
		os.Unsetenv(name)
	}
	out := scenario(t, "reexec")
	assert.Equal(t, 2, strings.Count(out, "start: "), "%s", out)
	first, rest, _ := strings.Cut(out, "\n")
	assert.Contains(t, rest, first, "the process keeps its number")
	assert.Equal(t, 1, strings.Count(out, "setup: <nil>\n"))
	assert.Contains(t, out, "OMP_WAIT_POLICY: PASSIVE\nGOMP_SPINCOUNT: 5000\nMALLOC_ARENA_MAX: 1\nstep: <nil> 1\n")

	t.Setenv("OMP_WAIT_POLICY", "ACTIVE")
	out = scenario(t, "reexec")
	assert.Contains(t, out, "OMP_WAIT_POLICY: ACTIVE\nGOMP_SPINCOUNT: \nMALLOC_ARENA_MAX: 1\n",
		"the environment decides")
	t.Setenv("OMP_WAIT_POLICY", "")
	os.Unsetenv("OMP_WAIT_POLICY")
	t.Setenv("GOMP_SPINCOUNT", "9")
	out = scenario(t, "reexec")
	assert.Contains(t, out, "OMP_WAIT_POLICY: PASSIVE\nGOMP_SPINCOUNT: 9\nMALLOC_ARENA_MAX: 1\n")
	t.Setenv("OMP_WAIT_POLICY", "ACTIVE")
	t.Setenv("MALLOC_ARENA_MAX", "2")
	out = scenario(t, "reexec")
	assert.Equal(t, 1, strings.Count(out, "start: "), "everything is set already:\n%s", out)
}

func TestLibrary(t *testing.T) {
	assert.Equal(t, "libtorch_cpu.so", filepath.Base(torch.Library()))
	require.FileExists(t, torch.Library())
	assert.Regexp(t, `^2\.\d+\.\d+$`, torch.Version())
}
