package torch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestALibtorchOfAnotherVersionIsRefused(t *testing.T) {
	assert.Equal(t, "2.11.1", versionOf(2<<56|11<<48|1<<40|7))
	require.NoError(t, sameVersion("2.15.0", "2.15.0", "lib"))
	err := sameVersion("2.15.0", "2.11.0", "/opt/torch/lib/libtorch_cpu.so")
	assert.Equal(t, fault.Unavailable, fault.KindOf(err))
	assert.EqualError(t, err,
		"load libtorch: /opt/torch/lib/libtorch_cpu.so: libtorch 2.11.0, this program was built for 2.15.0; "+
			"set LIBTORCH to libtorch 2.15.0, or build the program for this one: LIBTORCH=... make build")
}

func TestTheLoadedLibtorchIsTheOneOfTheHeaders(t *testing.T) {
	require.NoError(t, Available())
	assert.Equal(t, Version(), loadedVersion())
}

func TestABindingIsOfTheMinorVersionOfItsName(t *testing.T) {
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	var want []string
	for _, name := range []string{"bin/libbwlm_torch.so", "lib/libbwlm_torch-2.11.so", "lib/libbwlm_torch-2.15.so"} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o644))
		want = append(want, path)
	}
	require.NoError(t, os.Mkdir(filepath.Join(dir, "lib", "libbwlm_torch-2.12.so"), 0o755)) // no file
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lib", "libbwlm_torch.so.o"), nil, 0o644))
	found := findBindings(bin)
	assert.Equal(t, want, found)
	assert.Equal(t, []string{"2.11", "2.15"}, minors(found))
	assert.Equal(t, []string{want[0], want[1]}, fitting(found, "2.11"))
	assert.Equal(t, want[:1], fitting(found, "2.1"), "no prefix of another version")
	assert.Equal(t, want[:1], fitting(found, ""))
	assert.Empty(t, fitting(found[1:], "2.13"))
	assert.Equal(t, "2.11", minorOf(2<<56|11<<48|3<<40))
	assert.Empty(t, minorOf(0))
}
