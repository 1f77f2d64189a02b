//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// venv is a fresh virtual environment.
type venv struct {
	t   *testing.T
	dir string
}

func newVenv(t *testing.T) venv {
	t.Helper()
	v := venv{t, filepath.Join(t.TempDir(), "venv")}
	out, err := exec.Command("python3", "-m", "venv", v.dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	return v
}

// run runs a program of the environment without variables of this tree, from a folder of its own.
func (v venv) run(program string, args ...string) (code int, output string) {
	v.t.Helper()
	c := exec.Command(filepath.Join(v.dir, "bin", program), args...)
	c.Dir = v.dir
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "LIBTORCH=") && !strings.HasPrefix(e, "PYTHON") {
			c.Env = append(c.Env, e)
		}
	}
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		require.NoError(v.t, err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

func (v venv) must(program string, args ...string) string {
	v.t.Helper()
	code, out := v.run(program, args...)
	require.Zero(v.t, code, "%s %v: %s", program, args, out)
	return out
}

// The wheel with each PyTorch that it has a binding for, with another one, and with none. The libraries of PyTorch for
// a CPU are those that fetch_libtorch.sh keeps, since a whole PyTorch brings gigabytes of CUDA.
func TestTheWheelTakesThePyTorchThatItFinds(t *testing.T) {
	wheel := makePackage(t, "wheel")
	v := newVenv(t)
	v.must("pip", "install", "--quiet", "--no-deps", wheel)
	assert.Contains(t, v.must("bwlm", "--help"), "Usage:")
	code, out := v.run("bwlm", "version")
	assert.Equal(t, 69, code, out)
	assert.Contains(t, out, "2.11 or 2.15")

	abi := strings.TrimSpace(v.must("python", "-c", "import sys; print('cp%d%d' % sys.version_info[:2])"))
	for _, minor := range []string{"2.11", "2.15"} {
		lock := "../../third_party/libtorch-" + minor + ".lock"
		if _, err := os.Stat(lock); err != nil {
			lock = "../../third_party/libtorch.lock"
		}
		version, wheels, err := readLock(lock)
		require.NoError(t, err)
		if !strings.Contains(wheels[0].File, abi) {
			t.Skipf("the pinned %s is not for this Python (%s)", wheels[0].File, abi)
		}
		c := exec.Command("scripts/fetch_libtorch.sh", "--download", "--torch", minor)
		c.Dir = "../.."
		cache, err := c.Output()
		require.NoError(t, err)
		args := []string{"install", "--quiet", "--no-deps"}
		for _, w := range wheels {
			args = append(args, filepath.Join(strings.TrimSpace(string(cache)), w.File))
		}
		v.must("pip", args...)
		assert.Contains(t, v.must("bwlm", "version"), "libtorch "+version+"\n")
		assert.Contains(t, v.must("bwlm", "doctor"), "site-packages/torch/lib/libtorch_cpu.so")
	}

	stub(t, filepath.Join(v.dir, "lib", "python"+strings.Replace(abi[2:], "3", "3.", 1), "site-packages", "torch",
		"lib", "libtorch_cpu.so"))
	code, out = v.run("bwlm", "version")
	assert.Equal(t, 69, code, out)
	assert.Contains(t, out, "libtorch 2.13")
	assert.Contains(t, out, "of version 2.11 or 2.15")
}

// stub puts a library in the place of libtorch that says it is version 2.13.
func stub(t *testing.T, path string) {
	t.Helper()
	require.FileExists(t, path)
	build(t, path, "unsigned long aoti_torch_abi_version(void) { return 2UL << 56 | 13UL << 48; }")
}

// pip install of the wheel alone brings all that the demo needs, and the module reads what the demo left; the notebook
// comes to the program's numbers.
func TestTheDemoFromAFreshEnvironment(t *testing.T) {
	wheel := makePackage(t, "wheel")
	v := newVenv(t)
	v.must("pip", "install", "--quiet", wheel+"[tables,images]", "nbclient", "ipykernel")
	v.must("bwlm", "demo", "--out", "demo")
	for _, name := range []string{"check.py", "runs.ipynb", "notebook.py"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "examples", "python", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(v.dir, name), text, 0o644))
	}
	t.Log(v.must("python", "check.py", "demo"))
	t.Log(v.must("python", "notebook.py", "runs.ipynb", "demo"))
}
