package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A training fills the folder, the next finds everything there and ends alike; ls, verify and prune tell of it.
func TestCacheCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("several trainings")
	}
	dir := t.TempDir()
	require.NoError(t, tinyStudy(dir))
	cache := filepath.Join(dir, "cache")
	train := func(out string, flags ...string) (adapter string) {
		answers(t, append([]string{"train", filepath.Join(dir, "tiny.yaml"), "--set", "train.epochs=1", "--set",
			"out=" + filepath.Join(dir, out)}, flags...)...)
		data, err := os.ReadFile(filepath.Join(dir, out, "adapter", "adapter_model.safetensors"))
		require.NoError(t, err)
		return string(data)
	}
	list := func() map[string]any { return answers(t, "cache", "ls", "--cache-dir", cache) }
	want := train("none", "--cache-dir", "none")
	assert.Equal(t, want, train("first", "--cache-dir", cache))
	before := list()
	assert.Equal(t, cache, before["dir"])
	assert.Greater(t, len(before["files"].([]any)), 10)
	assert.Equal(t, want, train("second", "--cache-dir", cache))
	assert.Len(t, list()["files"], len(before["files"].([]any)), "nothing was missing")

	code, _, stderr := call(t, "eval", filepath.Join(dir, "tiny.yaml"), "--cache-dtype", "bf16", "--cache-dir", "none")
	assert.Zero(t, code)
	assert.Contains(t, stderr, "activations of frozen layers are cached in bf16")

	file := filepath.Join(cache, before["files"].([]any)[0].(map[string]any)["name"].(string))
	require.NoError(t, os.WriteFile(file, []byte("half"), 0o666))
	verified := answers(t, "cache", "verify", "--cache-dir", cache)
	assert.Len(t, verified["damaged"], 1)
	assert.EqualValues(t, len(before["files"].([]any))-1, verified["sound"])

	code, stdout, _ := call(t, "cache", "ls", "--cache-dir", cache)
	assert.Zero(t, code)
	assert.Regexp(t, `(?m)^[0-9a-f]{12} +\d{4}-\d\d-\d\d .* F32 .*, clips 9 to 17: front end$`, stdout)
	half := before["bytes"].(float64) / 2
	pruned := answers(t, "cache", "prune", "--cache-dir", cache, "--keep", "20kB")
	assert.LessOrEqual(t, pruned["bytes"], 20e3)
	assert.Greater(t, pruned["removed_bytes"], half)
	code, stdout, _ = call(t, "cache", "prune", "--cache-dir", cache)
	assert.Zero(t, code)
	assert.Contains(t, stdout, ", 0 B left\n")

	for flag, why := range map[string]string{"--cache-size=much": `--cache-size wants a size, got "much"`,
		"--cache-dir=" + filepath.Join(dir, "tiny.yaml"): "open cache",
		"--cache-dtype=f16": `"f16" is neither f32 nor bf16`} {
		code, _, stderr := call(t, "eval", filepath.Join(dir, "tiny.yaml"), flag)
		assert.NotZero(t, code)
		assert.Contains(t, stderr, why)
	}
}

func TestSizes(t *testing.T) {
	for _, n := range []size{0, 7, 1000, 1 << 10, 3 << 29, 10 << 30, 5 << 40} {
		var again size
		require.NoError(t, again.Set(n.String()), n.String())
		assert.Equal(t, n, again)
	}
	assert.Equal(t, []string{"10GiB", "1536MiB", "1000"},
		[]string{ptr(10 << 30).String(), ptr(3 << 29).String(), ptr(1000).String()})
	assert.Equal(t, "1.5 GiB", size(3<<29).text())
	assert.Equal(t, "12 B", size(12).text())
}

func ptr(n size) *size { return &n }
