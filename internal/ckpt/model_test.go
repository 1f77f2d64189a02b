package ckpt

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// shardedModel makes a model of two shards: a and b in the first, c in the second.
func shardedModel(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	one := func(name string, v float32) Tensor { return NewTensor(name, []int{1}, []float32{v}) }
	require.NoError(t, Write(filepath.Join(dir, "m-1.safetensors"), []Tensor{one("a", 1), one("b", 2)},
		map[string]string{"format": "pt"}))
	require.NoError(t, Write(filepath.Join(dir, "m-2.safetensors"), []Tensor{one("c", 3)}, nil))
	writeIndex(t, dir, `{"metadata": {"total_size": 12, "more": [1.5e3, true, null, {"a": "b"}]}, "weight_map":
		{"a": "m-1.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors"}}`+"\n")
	return dir
}

func writeIndex(t *testing.T, dir, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, containers[0].index()), []byte(text), 0o600))
}

func TestOpenModel(t *testing.T) {
	t.Run("single", func(t *testing.T) {
		f, err := OpenModel(filepath.Join(golden, "base"))
		require.NoError(t, err)
		defer f.Close()
		require.Contains(t, f.Names(), "encoder.layer_norm.bias")
	})
	t.Run("shards", func(t *testing.T) {
		dir := shardedModel(t)
		f, err := OpenModel(dir)
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b", "c"}, f.Names())
		require.Equal(t, map[string]string{"format": "pt"}, f.Metadata())
		got, err := f.Float32("c")
		require.NoError(t, err)
		require.Equal(t, []float32{3}, got)
		require.Equal(t, filepath.Join(dir, "m-2.safetensors")+":c", f.Where("c"))
		require.NoError(t, f.Close())
		_, err = f.Float32("a")
		faulttest.Require(t, fault.IO, err, "closed")
	})
	t.Run("single before shards", func(t *testing.T) {
		dir := shardedModel(t)
		require.NoError(t, Write(filepath.Join(dir, containers[0].file), nil, nil))
		f, err := OpenModel(dir)
		require.NoError(t, err)
		defer f.Close()
		require.Empty(t, f.Names())
	})
	t.Run("cache of links", func(t *testing.T) {
		dir, cache := shardedModel(t), t.TempDir()
		blob := filepath.Join(cache, "blob")
		require.NoError(t, os.Rename(filepath.Join(dir, "m-2.safetensors"), blob))
		require.NoError(t, os.Symlink(blob, filepath.Join(dir, "m-2.safetensors")))
		f, err := OpenModel(dir)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	})
}

func TestOpenModelRefused(t *testing.T) {
	change := func(old, new string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			text, err := os.ReadFile(filepath.Join(dir, containers[0].index()))
			require.NoError(t, err)
			require.Contains(t, string(text), old)
			writeIndex(t, dir, strings.Replace(string(text), old, new, 1))
		}
	}
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string)
		kind  fault.Kind
		why   string
	}{
		"path outside":      {change(`"m-2.`, `"../m-2.`), fault.BadData, "plain name"},
		"absolute path":     {change(`"m-2.`, `"/m-2.`), fault.BadData, "plain name"},
		"Windows path":      {change(`"m-2.`, `"..\\m-2.`), fault.BadData, "plain name"},
		"Windows drive":     {change(`"m-2.`, `"C:m-2.`), fault.BadData, "plain name"},
		"folder inside":     {change(`"m-2.`, `"x/m-2.`), fault.BadData, "plain name"},
		"control character": {change(`"m-2.`, `"\nm-2.`), fault.BadData, "plain name"},
		"no file name":      {change(`"m-2.safetensors"`, `""`), fault.BadData, "plain name"},
		"other file":        {change(`"m-2.safetensors"`, `"passwd"`), fault.BadData, "plain name"},
		"not a string":      {change(`"m-2.safetensors"`, `7`), fault.BadData, `'7' where '"' should be`},
		"key twice":         {change(`"c"`, `"a"`), fault.BadData, "twice"},
		"not in the shard": {change(`"c"`, `"d"`), fault.BadData,
			"m-2.safetensors:c: model.safetensors.index.json does not place"},
		"key without tensor": {change(`"c":`, `"d": "m-2.safetensors", "c":`), fault.BadData,
			"json:d: the tensor is not in shard m-2.safetensors"},
		"other shard":   {change(`"a": "m-1`, `"a": "m-2`), fault.BadData, "m-1.safetensors:a"},
		"no weight_map": {change(`"weight_map"`, `"weights"`), fault.BadData, "no weight_map"},
		"trailing":      {change("}}\n", "}} x"), fault.BadData, "after the end"},
		"too deep":      {change("12", strings.Repeat("[", 20)+strings.Repeat("]", 20)), fault.BadData, "nested"},
		"not a value":   {change("12", "twelve"), fault.BadData, "not a value"},
		"not UTF-8":     {change("12", "\"\xff\""), fault.BadData, "UTF-8"},
		"missing shard": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "m-2.safetensors")))
		}, fault.BadData, "shard m-2.safetensors is not in the folder"},
		"duplicate tensor": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, "m-2.safetensors")
			require.NoError(t, Write(path, []Tensor{NewTensor("a", []int{1}, []float32{1}),
				NewTensor("c", []int{1}, []float32{1})}, nil))
		}, fault.BadData, "m-2.safetensors:a: the tensor is also in"},
		"bad shard": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(filepath.Join(dir, "m-2.safetensors"), 30))
		}, fault.BadData, "read safetensors: "},
		"shard not fetched": {func(t *testing.T, dir string) {
			path := filepath.Join(dir, "m-2.safetensors")
			require.NoError(t, os.Remove(path))
			require.NoError(t, os.Symlink("../.git/annex/objects/xx/key", path))
		}, fault.Missing, "datalad get"},
		"index is a folder": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, containers[0].index())))
			require.NoError(t, os.Mkdir(filepath.Join(dir, containers[0].index()), 0o700))
		}, fault.BadData, "is a folder"},
		"no index of pickles": {func(t *testing.T, dir string) {
			require.NoError(t, os.Rename(filepath.Join(dir, containers[0].index()),
				filepath.Join(dir, containers[1].index())))
		}, fault.BadData, "is not the plain name of a file .bin"},
		"nothing": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, containers[0].index())))
		}, fault.Missing, "has neither"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := shardedModel(t)
			c.spoil(t, dir)
			_, err := OpenModel(dir)
			faulttest.Require(t, c.kind, err, c.why)
		})
	}
	_, err := OpenModel(filepath.Join(t.TempDir(), "none"))
	faulttest.Require(t, fault.Missing, err, "read model: ")
	_, err = OpenModel(filepath.Join(golden, "base", containers[0].file))
	faulttest.Require(t, fault.BadData, err, "is a file, want a model's folder")
}

// An index far larger than any model's is refused before it is read.
func TestHugeIndex(t *testing.T) {
	dir := shardedModel(t)
	require.NoError(t, os.Truncate(filepath.Join(dir, containers[0].index()), 1<<40))
	_, err := OpenModel(dir)
	faulttest.Require(t, fault.BadData, err, "the file has 1099511627776 bytes")
}
