package atomicfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestTarget(t *testing.T) {
	parent := t.TempDir()
	target := Target{What: "make it", Dir: filepath.Join(parent, "out"), Files: []string{"a", "b"},
		Inputs: []string{filepath.Join(parent, "in")}}
	fill := func(text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o600) }
	}
	require.NoError(t, target.Check())
	require.NoError(t, target.Write(fill("one")))
	requireText(t, filepath.Join(target.Dir, "a"), "one")

	faulttest.Require(t, fault.Exists, target.Check(), "make it: "+target.Dir+": exists already", "set Force")
	faulttest.Require(t, fault.Exists, target.Write(fill("two")), "exists already")
	target.Force = true
	require.NoError(t, target.Check())
	require.NoError(t, target.Write(fill("two")))
	requireText(t, filepath.Join(target.Dir, "a"), "two")
	broken := errors.New("broken")
	require.ErrorIs(t, target.Write(func(string) error { return broken }), broken)
	requireText(t, filepath.Join(target.Dir, "a"), "two")
	require.Equal(t, []string{"out"}, namesIn(t, parent))

	precious := filepath.Join(target.Dir, "c")
	require.NoError(t, os.WriteFile(precious, nil, 0o600))
	faulttest.Require(t, fault.Exists, target.Check(), "holds c, which is no part")
	faulttest.Require(t, fault.Exists, target.Write(fill("three")), "holds c")
	require.NoError(t, os.Remove(precious))
	require.NoError(t, os.Mkdir(filepath.Join(target.Dir, "b"), 0o700))
	faulttest.Require(t, fault.Exists, target.Check(), "holds b, which is no part")

	target.Dir = target.Inputs[0]
	require.NoError(t, os.Mkdir(target.Dir, 0o700))
	faulttest.Require(t, fault.Usage, target.Check(), "is an input")
	target.Dir = filepath.Join(parent, "out", "a")
	faulttest.Require(t, fault.Exists, target.Check(), "is not a folder")
	target.Dir = filepath.Join(parent, "link")
	require.NoError(t, os.Symlink("nowhere", target.Dir))
	faulttest.Require(t, fault.Exists, target.Check(), "is not a folder")
	target.Dir = filepath.Join(parent, "none", "out")
	require.NoError(t, target.Check())
	faulttest.Require(t, fault.IO, target.Write(fill("")), "make its folder first")
}
