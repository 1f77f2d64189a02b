// Package version names the version of bwlm for the command, for manifests of runs and for exported maps.
package version

import (
	"runtime/debug"
	"strings"
)

const module = "github.com/brainwavlm/bwlm"

// unknown is the version of a build from sources that carry no tag.
const unknown = "v0.1.0-unknown"

// linked is set by the Makefile to the output of git describe: -ldflags "-X MODULE/internal/version.linked=v0.1.0".
var linked string

// String returns the version: what git describe printed when the Makefile built the program, else the version under
// which Go resolved the module (go install MODULE/cmd/bwlm@v0.1.0, or a program that requires the module), else
// v0.1.0-unknown.
func String() string {
	info, _ := debug.ReadBuildInfo()
	return choose(linked, info)
}

func choose(linked string, info *debug.BuildInfo) string {
	if linked != "" {
		return linked
	}
	if info == nil {
		return unknown
	}
	for _, m := range append(info.Deps, &info.Main) {
		// Go gives a checkout a version of its own making: (devel), or a pseudo-version of v0.0.0.
		if m.Path == module && strings.HasPrefix(m.Version, "v") && !strings.HasPrefix(m.Version, "v0.0.0") {
			return m.Version
		}
	}
	return unknown
}
