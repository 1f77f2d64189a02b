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

// TestTheCommandWithoutLibtorch builds the command as make does and runs it where libtorch is missing, damaged, or
// named by LIBTORCH.
func TestTheCommandWithoutLibtorch(t *testing.T) {
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := t.TempDir()
	program, binding := filepath.Join(dir, "bin", "bwlm"), filepath.Join(dir, "bin", "libbwlm_torch.so")
	command := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(name, args...)
		c.Dir = root
		return c
	}
	out, err := command("go", "build", "-tags", "libtorch_dlopen", "-o", program, "./cmd/bwlm").CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := func(libtorch string, args ...string) (code int, output string) {
		c := command(program, args...)
		for _, v := range os.Environ() {
			if !strings.HasPrefix(v, "LIBTORCH=") {
				c.Env = append(c.Env, v)
			}
		}
		if libtorch != "" {
			c.Env = append(c.Env, "LIBTORCH="+libtorch)
		}
		out, _ := c.CombinedOutput()
		return c.ProcessState.ExitCode(), string(out)
	}
	wrong := filepath.Join(dir, "wrong")
	require.NoError(t, os.MkdirAll(filepath.Join(wrong, "lib"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(wrong, "lib", "libtorch_cpu.so"), []byte("no library"), 0o644))

	for _, args := range [][]string{{"version"}, {"doctor"}, {"--json", "doctor"}, {"bench", "step"}} {
		code, out := run("", args...)
		assert.Equal(t, 69, code, "%v: %s", args, out)
		assert.Contains(t, out, binding+": no such file", "%v", args)
	}
	code, _ := run("", "--help")
	assert.Zero(t, code, "help needs no libtorch")

	out, err = command("scripts/build_binding.sh", binding).CombinedOutput()
	require.NoError(t, err, "%s", out)
	code, text := run("", "version")
	assert.Equal(t, 69, code, text)
	assert.Contains(t, text, filepath.Join(dir, "third_party", "libtorch", "lib", "libtorch_cpu.so")+": no such file")
	code, text = run(wrong, "version")
	assert.Equal(t, 69, code, text)
	assert.Contains(t, text, filepath.Join(wrong, "lib", "libtorch_cpu.so")+": file too short")
	assert.NotContains(t, text, "third_party", "LIBTORCH is the only place")

	libtorch := filepath.Join(root, "third_party", "libtorch")
	code, text = run(libtorch, "version")
	assert.Zero(t, code, text)
	assert.Contains(t, text, "libtorch 2.")
	code, answer := run(libtorch, "doctor")
	assert.Zero(t, code, answer)

	// As in a wheel: a binding for each minor version, of which the one of the libtorch that is found is taken.
	versioned := filepath.Join(dir, "lib", "libbwlm_torch-"+minor(text)+".so")
	require.NoError(t, os.Mkdir(filepath.Dir(versioned), 0o755))
	require.NoError(t, os.Rename(binding, versioned))
	code, text = run(libtorch, "version")
	assert.Zero(t, code, text)
	other := filepath.Join(dir, "other", "lib", "libtorch_cpu.so")
	require.NoError(t, os.MkdirAll(filepath.Dir(other), 0o755))
	stub := exec.Command("gcc", "-shared", "-fPIC", "-x", "c", "-o", other, "-")
	stub.Stdin = strings.NewReader("unsigned long aoti_torch_abi_version(void) { return 2UL << 56 | 13UL << 48; }\n")
	out, err = stub.CombinedOutput()
	require.NoError(t, err, "%s", out)
	code, text = run(filepath.Join(dir, "other"), "version")
	assert.Equal(t, 69, code, text)
	assert.Contains(t, text, other+": libtorch 2.13")
	assert.Contains(t, text, "of version "+filepath.Base(versioned)[len("libbwlm_torch-"):][:4])
}

// minor returns the minor version of libtorch, such as 2.15, in the answer of bwlm version.
func minor(text string) string {
	_, after, _ := strings.Cut(text, "libtorch ")
	parts := strings.SplitN(after, ".", 3)
	return parts[0] + "." + parts[1]
}
