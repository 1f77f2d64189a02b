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

// scenarios are lives of a process of its own, since CUDA is loaded before the first closure or never. Each prints
// what it found.
var scenarios = map[string]func(){
	"late": func() {
		say("closure", torch.Infer(context.Background(), nothing))
		say("load", torch.LoadCUDA())
		say("configure", torch.Configure(torch.Options{}))
		say("devices", torch.CUDADevices())
	},
	"early": func() {
		say("devices", torch.CUDADevices())
		err := torch.LoadCUDA()
		say("kind", fault.KindOf(err), err)
		say("configure", torch.Configure(torch.Options{Threads: 1}))
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
		for _, lib := range []string{"libtorch_cpu", "libtorch_cuda", "libc10_cuda", "libcuda.", "libcublas", "libcudnn"} {
			say(lib, strings.Contains(string(maps), lib))
		}
	},
}

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
	assert.Contains(t, out, "configure: "+torch.ErrStarted.Error()+"\n")
	assert.Contains(t, out, "devices: 0\n")
}

func TestScenarioLoadBeforeTheFirstClosure(t *testing.T) {
	out := scenario(t, "early")
	assert.Contains(t, out, "devices: 0\n", "before LoadCUDA, and without harm to it")
	assert.Contains(t, out, "configure: <nil>\n")
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

func TestLibrary(t *testing.T) {
	assert.Equal(t, "libtorch_cpu.so", filepath.Base(torch.Library()))
	require.FileExists(t, torch.Library())
	assert.Regexp(t, `^2\.\d+\.\d+$`, torch.Version())
}
