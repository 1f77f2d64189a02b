package ckpt

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// The verdict on each case is the one wanted by the goldens. "policy" marks what the reference
// accepts and the published schema forbids: it is refused here.
func TestGoldenVerdicts(t *testing.T) {
	dir := filepath.Join(golden, "containers", "safetensors")
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	require.NoError(t, err)
	var cases map[string]struct {
		Want  string
		Names []string
	}
	require.NoError(t, json.Unmarshal(text, &cases))
	require.Len(t, cases, 44)
	for name, want := range cases {
		t.Run(name, func(t *testing.T) {
			f, err := Open(filepath.Join(dir, name+".safetensors"))
			if want.Want != "accept" {
				faulttest.Require(t, fault.BadData, err, "read safetensors: ", name+".safetensors", "; ")
				return
			}
			require.NoError(t, err)
			defer f.Close()
			names := f.Names()
			slices.Sort(names)
			require.Equal(t, want.Names, names)
			for info := range f.Tensors() {
				data, err := f.bytes(info.Name)
				require.NoError(t, err)
				require.Len(t, data, int(info.size()))
			}
		})
	}
}

// Each golden was written by the reference implementation; written again from its parts it has the
// same bytes.
func TestWriterEqualsReference(t *testing.T) {
	n := 0
	require.NoError(t, filepath.WalkDir(golden, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".safetensors") || strings.Contains(path, "containers") {
			return err
		}
		n++
		f, err := Open(path)
		require.NoError(t, err, path)
		defer f.Close()
		var tensors []Tensor
		for info := range f.Tensors() {
			tensor, err := f.Tensor(info.Name)
			require.NoError(t, err)
			tensors = append(tensors, tensor)
		}
		slices.Reverse(tensors)
		var got bytes.Buffer
		require.NoError(t, WriteTo(&got, tensors, f.Metadata()))
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got.Bytes()), "%s comes out different", path)
		return nil
	}))
	require.Greater(t, n, 20)
}
