package ckpt

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

const golden = "../testdata/golden"

// requireFault wants err to be a whole fault of a kind, on one line, that contains some texts.
func requireFault(t *testing.T, kind fault.Kind, err error, contains ...string) {
	t.Helper()
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	require.NotEmpty(t, e.What, "%v", err)
	require.NotEmpty(t, e.Why, "%v", err)
	require.NotContains(t, err.Error(), "\n")
	for _, text := range contains {
		require.Contains(t, err.Error(), text)
	}
}

// fileBytes makes the bytes of a safetensors file of a header and data.
func fileBytes(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

// readBytes reads safetensors bytes.
func readBytes(b []byte) (*File, error) {
	return Read(bytes.NewReader(b), int64(len(b)), "x.safetensors")
}

// namesIn lists what is in a folder.
func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
