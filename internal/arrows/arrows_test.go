package arrows

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/brainwavlm/bwlm"

// rule says what the packages of a pattern may import, beside the standard library and fault.
// A pattern is a path below the module (or an import path of another module), and all below it if it ends in "/...".
type rule struct {
	packages string
	ours     []string // packages of this module
	others   []string // packages of other modules
}

// model is what the two halves of the network, wavlm and peft, may know: they do not know each other.
var model = []string{"torch", "torch/nn", "ckpt"}

// rules is looked through from the top; the first that matches a package holds.
var rules = []rule{
	{packages: "fault"},
	{packages: "torch", others: []string{"golang.org/x/sys/cpu"}},
	{packages: "torch/nn", ours: []string{"torch"}, others: []string{"golang.org/x/sync/..."}},
	{packages: "ckpt"},
	{packages: "npy"},
	{packages: "audio", others: []string{"github.com/go-audio/...", "github.com/mewkiz/flac/...", "github.com/hajimehoshi/go-mp3"}},
	{packages: "cortex/...", ours: []string{"cortex/..."}},
	{packages: "wavlm", ours: model},
	{packages: "peft", ours: model},

	{packages: "brain/design", ours: []string{"torch"}},
	{packages: "brain/ridge", ours: []string{"torch", "brain/stats"}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain/stats", others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain/experiment", others: []string{"go.yaml.in/yaml/v3"}},
	{packages: "brain/results", ours: []string{"brain/stats", "brain/experiment"}},
	{packages: "brain/dataset", ours: []string{"audio", "npy", "brain/design"}, others: []string{"go.yaml.in/yaml/v3"}},
	{packages: "brain/report", ours: []string{"brain/...", "cortex/...", "npy"}, others: []string{"gonum.org/v1/..."}},
	{packages: "brain/bids", ours: []string{"brain/report", "cortex"}},
	{packages: "brain/demo", ours: []string{"brain/...", "cortex/...", "wavlm", "npy"}},
	{
		packages: "brain/...",
		ours:     []string{"brain/...", "peft", "wavlm", "audio", "torch/...", "ckpt", "npy", "internal/version"},
		others:   []string{"go.yaml.in/yaml/v3", "gonum.org/v1/gonum/...", "golang.org/x/sync/...", "github.com/gofrs/flock"},
	},

	{packages: "internal/tfevents/readback", others: []string{"github.com/stretchr/testify/require"}},               // of tests
	{packages: "internal/faulttest", others: []string{"github.com/stretchr/testify/require"}},                       // of tests
	{packages: "internal/filetest", ours: []string{"npy"}, others: []string{"github.com/stretchr/testify/require"}}, // of tests
	{packages: "internal/torchtest", ours: []string{"torch"}},                                                       // of tests
	{packages: "internal/..."},
	{packages: "cmd/...", ours: []string{"..."}, others: []string{"..."}},
	{packages: "bench", ours: []string{"..."}, others: []string{"..."}},
	{packages: "examples/...", ours: []string{"..."}, others: []string{"..."}},
	{packages: "tools/...", ours: []string{"..."}, others: []string{"..."}},
}

// matches tells whether a path falls under a pattern.
func matches(pattern, p string) bool {
	if pattern == "..." {
		return true
	}
	above, tree := strings.CutSuffix(pattern, "/...")
	return p == above || tree && strings.HasPrefix(p, above+"/")
}

// listed is what go list prints of a package.
type listed struct {
	ImportPath string
	Standard   bool
	CgoFiles   []string
	Imports    []string
}

// list reads all packages of the module and all that they depend on, by import path.
func list(t *testing.T) map[string]listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,CgoFiles,Imports", "./...")
	cmd.Dir = path.Join("..", "..")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())

	all := map[string]listed{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all[p.ImportPath] = p
	}
}

// inside gives a package's path below the module, and false for packages of other modules.
func inside(importPath string) (string, bool) {
	return strings.CutPrefix(importPath, module+"/")
}

// wrong tells what a package imports that its rule does not allow.
func wrong(name string, p listed, all map[string]listed) []string {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.packages, name) })
	if i < 0 {
		return []string{fmt.Sprintf("%s: is in no rule; decide what it may import and add one", name)}
	}
	var out []string
	for _, imported := range p.Imports {
		below, ours := inside(imported)
		allowed, looked := rules[i].others, imported
		if ours {
			allowed, looked = append([]string{"fault", "internal/..."}, rules[i].ours...), below
		}
		if imported == "C" || all[imported].Standard {
			continue
		}
		if !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, looked) }) {
			out = append(out, fmt.Sprintf("%s → %s: rule %q does not allow it", name, looked, rules[i].packages))
		}
	}
	return out
}

func TestPackagesImportOnlyWhatTheTableAllows(t *testing.T) {
	all := list(t)
	seen := 0
	for importPath, p := range all {
		if name, ours := inside(importPath); ours {
			seen++
			assert.Empty(t, wrong(name, p, all))
		}
	}
	assert.Greater(t, seen, 5, "go list gave hardly a package: the test would prove nothing")
}

func TestOnlyTorchImportsC(t *testing.T) {
	for importPath, p := range list(t) {
		if name, ours := inside(importPath); ours && name != "torch" {
			assert.Empty(t, p.CgoFiles, "%s imports C; only torch may", name)
		}
	}
}

// The check itself: what it must refuse.
func TestWrongArrowsAreSeen(t *testing.T) {
	all := map[string]listed{"fmt": {Standard: true}}
	for _, c := range []struct {
		name, imported string
		refused        bool
	}{
		{"torch", "fmt", false},
		{"torch", module + "/fault", false},
		{"torch", module + "/ckpt", true},
		{"wavlm", module + "/torch/nn", false},
		{"wavlm", module + "/peft", true},
		{"peft", module + "/wavlm", true},
		{"ckpt", "gonum.org/v1/gonum/mat", true},
		{"brain", module + "/brain/stats", false},
		{"brain", module + "/cortex", true},
		{"brain", "gonum.org/v1/plot", true},
		{"brain/report", "gonum.org/v1/plot", false},
		{"brain/design", module + "/brain", true},
		{"internal/x", module + "/torch", true},
		{"cmd/bwlm", module + "/cortex", false},
		{"unheard/of", "fmt", true},
	} {
		assert.Equal(t, c.refused, len(wrong(c.name, listed{Imports: []string{c.imported}}, all)) > 0, "%s → %s", c.name, c.imported)
	}
}
