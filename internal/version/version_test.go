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

func TestCommitComesFromTheLinkerOrFromGo(t *testing.T) {
	vcs := func(commit, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit},
			{Key: "vcs.modified", Value: modified}}}
	}
	for _, c := range []struct {
		name, linked, linkedCommit string
		info                       *debug.BuildInfo
		want                       string
		dirty                      bool
	}{
		{"make build", "v0.1.0", "abc", vcs("abc", "false"), "abc", false},
		{"make build with -buildvcs=false", "v0.1.0", "abc", &debug.BuildInfo{}, "abc", false},
		{"the same of a changed tree", "v0.1.0-dirty", "abc", &debug.BuildInfo{}, "abc", true},
		{"go build", "", "", vcs("abc", "true"), "abc", true},
		{"no build information", "", "", nil, "", false},
	} {
		commit, dirty := recorded(c.linked, c.linkedCommit, c.info)
		assert.Equal(t, c.want, commit, c.name)
		assert.Equal(t, c.dirty, dirty, c.name)
	}
}

// The linker ignores a -X that names no variable, so those who call it are held against the names here.
func TestBuildsSetTheVariables(t *testing.T) {
	for file, values := range map[string][2]string{"Makefile": {"$(VERSION)", "$(COMMIT)"},
		"scripts/dist.sh": {"$version", "$commit"}} {
		text, err := os.ReadFile("../../" + file)
		require.NoError(t, err)
		assert.Contains(t, string(text), "-X "+module+"/internal/version.linked="+values[0], file)
		assert.Contains(t, string(text), "-X "+module+"/internal/version.linkedCommit="+values[1], file)
		assert.Regexp(t, `git describe --tags --dirty `, string(text), file)
	}
}
