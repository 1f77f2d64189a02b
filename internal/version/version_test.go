package version

import (
	"os"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVersionComesFromTheLinkerThenFromGo(t *testing.T) {
	info := func(main, mainVersion string, deps ...*debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Path: main, Version: mainVersion}, Deps: deps}
	}
	dep := &debug.Module{Path: module, Version: "v0.2.0"}
	other := &debug.Module{Path: "example.org/other", Version: "v3.0.0"}
	for _, c := range []struct {
		name, linked string
		info         *debug.BuildInfo
		want         string
	}{
		{"make build", "v0.1.0-4-gabc1234", info(module, "v0.0.0-20260101000000-abcdef"), "v0.1.0-4-gabc1234"},
		{"go build in a checkout", "", info(module, "v0.0.0-20260101000000-abcdef+dirty"), unknown},
		{"go test", "", info(module, "(devel)"), unknown},
		{"go install of a release", "", info(module, "v0.1.0", other), "v0.1.0"},
		{"a program that requires bwlm", "", info("example.org/service", "v9.0.0", other, dep), "v0.2.0"},
		{"no build information", "", nil, unknown},
	} {
		assert.Equal(t, c.want, choose(c.linked, c.info), c.name)
	}
}

// The linker ignores a -X that names no variable, so the Makefile is held against the name here.
func TestMakefileSetsTheVariable(t *testing.T) {
	text, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	assert.Contains(t, string(text), "-X "+module+"/internal/version.linked=$(VERSION)")
}
