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
	tests    bool     // only tests import them
}

// utilities are the packages below internal that have no rule of their own.
const utilities = "internal/..."

// rules is looked through from the top; the first that matches a package holds. Packages of this
// module are named one by one, so that an arrow is a decision. Any package may import those of the
// last rule for internal/..., the utilities.
var rules = []rule{
	{packages: "fault"},
	{packages: "torch", others: []string{"golang.org/x/sys/..."}},
	{packages: "torch/dist", ours: []string{"torch"}},
	{packages: "torch/nn", ours: []string{"internal/ckpt", "torch"}, others: []string{"golang.org/x/sync/..."}},
	{packages: "npy"},
	{packages: "internal/npz", ours: []string{"internal/stored"}},
	{packages: "internal/mat", ours: []string{"internal/stored"}},
	{packages: "internal/pickle"},
	{packages: "internal/stored"},
	{packages: "internal/ckpt", ours: []string{"internal/pickle"}},
	{packages: "internal/joblib", ours: []string{"internal/pickle", "internal/stored"},
		others: []string{"github.com/pierrec/lz4/v4", "github.com/ulikunitz/xz/lzma"}},
	{packages: "audio", others: []string{"github.com/go-audio/...", "github.com/mewkiz/flac/...",
		"github.com/hajimehoshi/go-mp3"}},
	{packages: "speech", ours: []string{"torch", "torch/nn", "npy"}},
	{packages: "internal/hfmodel", ours: []string{"torch", "torch/nn", "internal/ckpt", "speech"}},
	{packages: "wavlm", ours: []string{"torch", "torch/nn", "internal/ckpt", "internal/hfmodel", "npy", "speech"}},
	{packages: "whisper", ours: []string{"torch", "torch/nn", "internal/ckpt", "internal/hfmodel", "npy", "speech"},
		others: []string{"gonum.org/..."}},
	{packages: "speech/pretrained", ours: []string{"internal/hfmodel", "speech", "wavlm", "whisper"}},
	{packages: "peft", ours: []string{"torch", "torch/nn", "internal/ckpt"}},

	{packages: "internal/raw"},
	{packages: "internal/annot", ours: []string{"internal/raw"}},
	{packages: "internal/freesurfer", ours: []string{"internal/raw"}},
	{packages: "internal/hdf5"},
	{packages: "internal/textgrid"},
	{packages: "internal/nifti", ours: []string{"internal/raw"}},
	{packages: "internal/gifti", ours: []string{"internal/raw"}},
	{packages: "internal/cifti", ours: []string{"internal/raw", "internal/nifti", "internal/gifti"}},
	{packages: "internal/bidsdata", ours: []string{"internal/cifti", "internal/gifti", "internal/nifti"}},
	{packages: "internal/clean"},
	{packages: "internal/scanrows", ours: []string{
		"internal/bidsdata", "internal/cifti", "internal/clean", "internal/cortex", "internal/nifti",
	}},
	{packages: "internal/triggers"},
	{packages: "internal/wordtable", ours: []string{"internal/mat", "internal/stored"}},
	{packages: "internal/cortex", ours: []string{
		"internal/annot", "internal/cifti", "internal/freesurfer", "internal/gifti", "internal/raw",
		"internal/nifti",
	}},
	{packages: "internal/outlines", ours: []string{"internal/raw"}},
	{packages: "internal/regions", ours: []string{"internal/cortex", "internal/freesurfer", "internal/outlines",
		"internal/raw"}},
	{packages: "internal/render", ours: []string{"internal/cortex"}, others: []string{"golang.org/x/image/..."}},

	// Mathematics and files of studies: no package here knows a study.
	{packages: "internal/acoustic", others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "internal/activations"},
	{packages: "internal/brain/colstats"},
	{packages: "brain/design", ours: []string{"internal/brain/colstats"}},
	{packages: "internal/brain/sections", ours: []string{"torch", "brain/design"}},
	{packages: "brain/experiment", others: []string{"go.yaml.in/yaml/v3"}},
	{packages: "brain/stats", others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain/ridge", ours: []string{"torch", "brain/stats"}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "internal/probing", ours: []string{"npy", "brain/design", "brain/ridge", "brain/stats"}},
	{packages: "internal/brain/rowsource", ours: []string{"npy", "internal/arrayfile", "internal/stored"}},
	{packages: "internal/arrayfile", ours: []string{
		"internal/hdf5", "internal/joblib", "internal/mat", "internal/npz", "internal/stored",
	}},
	{packages: "brain/dataset", ours: []string{
		"internal/textgrid", "internal/arrayfile", "audio", "npy", "brain/design", "internal/brain/rowsource",
	},
		others: []string{"go.yaml.in/yaml/v3"}},
	{packages: "internal/brain/responses", ours: []string{
		"brain/dataset", "brain/design", "internal/brain/colstats", "internal/brain/rowsource",
	}},
	{packages: "internal/brain/datacheck", ours: []string{
		"brain/dataset", "brain/design", "internal/brain/responses", "internal/clean",
	}},
	{packages: "internal/brain/imports", ours: []string{
		"audio", "npy", "brain/dataset", "brain/design", "brain/experiment", "internal/arrayfile",
		"internal/brain/datacheck", "internal/brain/fingerprint", "internal/brain/responses", "internal/brain/timing",
		"internal/stored", "internal/textgrid", "internal/wordtable",
	}, others: []string{"go.yaml.in/yaml/v3"}},
	{packages: "internal/brain/imports/huthbox", ours: []string{
		"internal/arrayfile", "internal/brain/imports", "internal/joblib", "internal/stored",
	}},
	{packages: "internal/brain/imports/deniz", ours: []string{
		"internal/arrayfile", "internal/brain/imports", "internal/stored", "internal/triggers",
	}},
	{packages: "internal/brain/imports/lebel", ours: []string{
		"internal/arrayfile", "internal/brain/imports", "internal/cortex", "internal/regions", "internal/stored",
	}},
	{packages: "internal/brain/imports/bids", ours: []string{
		"internal/bidsdata", "internal/brain/imports", "internal/clean", "internal/cortex", "internal/nifti",
		"internal/scanrows", "internal/textgrid", "internal/wordtable",
	}},
	{packages: "internal/sim", ours: []string{"audio", "brain/dataset", "speech", "wavlm"},
		others: []string{"gonum.org/v1/gonum/...", "golang.org/x/sync/..."}},
	{packages: "internal/brain/timing", ours: []string{
		"internal/brain/datacheck", "internal/brain/responses", "brain/dataset", "brain/design", "brain/stats",
	},
		others: []string{"gonum.org/v1/gonum/...", "golang.org/x/sync/..."}},

	// Rooms of a study, from the ground floor up.
	{packages: "brain/results", ours: []string{"npy", "brain/design", "brain/experiment", "brain/stats"}},
	{packages: "internal/brain/analysisplan", ours: []string{"brain/results"}},
	{packages: "internal/rundir", ours: []string{
		"npy", "torch", "internal/ckpt", "brain/design", "brain/experiment", "brain/results",
	}},
	{packages: "brain/progress", ours: []string{"brain/results"}},
	{packages: "internal/brain/phases"},
	{packages: "brain/loss", ours: []string{"torch", "brain/experiment"}},
	{packages: "internal/brain/readout", ours: []string{
		"internal/brain/phases", "internal/rundir", "torch", "torch/nn", "internal/ckpt", "brain/progress",
		"brain/results",
	}},
	{packages: "internal/brain/windows", ours: []string{
		"torch/dist",
		"internal/brain/phases", "torch", "speech", "internal/acoustic", "internal/activations", "brain/design",
		"brain/experiment", "brain/progress",
	}},
	{packages: "brain/extract", ours: []string{
		"torch", "torch/nn", "peft", "speech", "speech/pretrained", "npy", "brain/design", "brain/experiment",
		"internal/brain/windows",
	}},
	{packages: "internal/brain/fingerprint", ours: []string{"internal/activations"},
		others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "internal/brain/study", ours: []string{
		"internal/brain/datacheck", "internal/brain/responses", "internal/brain/phases", "internal/rundir", "torch",
		"torch/nn", "peft", "speech", "speech/pretrained", "npy", "internal/acoustic", "internal/activations",
		"brain/dataset", "brain/design", "brain/experiment", "brain/loss", "brain/progress", "brain/results",
		"brain/ridge", "brain/stats", "internal/brain/fingerprint", "internal/brain/windows", "torch/dist",
	}},
	{packages: "internal/brain/encoding", ours: []string{
		"speech", "brain/design", "brain/dataset", "brain/experiment", "brain/progress", "brain/ridge",
		"brain/stats", "internal/brain/study", "internal/brain/windows", "torch/dist",
	}},
	{packages: "internal/brain/tune", ours: []string{
		"internal/brain/phases", "internal/brain/sections", "internal/rundir", "npy", "torch", "torch/nn",
		"internal/ckpt", "peft", "speech", "brain/design", "brain/experiment", "brain/loss", "brain/progress",
		"internal/brain/readout", "brain/results", "brain/ridge", "brain/stats", "internal/brain/encoding",
		"internal/brain/study", "internal/brain/windows", "torch/dist", "internal/brain/calibration",
	}},
	{packages: "internal/brain/calibration", ours: []string{"internal/ckpt", "brain/design", "brain/stats"}},
	{packages: "internal/brain/evaluate", ours: []string{
		"internal/brain/phases", "internal/rundir", "torch", "torch/nn", "npy", "peft", "speech",
		"internal/brain/analysisplan", "brain/design", "brain/experiment", "brain/progress", "brain/results",
		"brain/ridge", "brain/stats", "internal/brain/encoding", "internal/brain/study",
	}},
	{packages: "brain/predict", ours: []string{
		"internal/rundir", "torch", "torch/nn", "internal/ckpt", "speech", "speech/pretrained", "brain/design",
		"brain/experiment", "brain/extract", "internal/brain/readout", "brain/results", "internal/brain/encoding",
		"internal/brain/windows", "internal/brain/calibration", "npy",
	}},
	{packages: "serve", ours: []string{
		"audio", "brain/experiment", "brain/extract", "brain/predict", "speech", "speech/pretrained", "torch",
	}, others: []string{"go.yaml.in/yaml/v3", "golang.org/x/sync/..."}},
	{packages: "serve/client"},
	{packages: "serve/grpcapi", ours: []string{"internal/inferencepb", "serve"},
		others: []string{"google.golang.org/grpc/..."}},
	{packages: "serve/metrics", ours: []string{"serve"}, others: []string{"github.com/prometheus/client_golang/..."}},
	{packages: "internal/inferencepb",
		others: []string{"google.golang.org/grpc/...", "google.golang.org/protobuf/..."}},
	{packages: "brain/plan", ours: []string{"brain/stats"}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "internal/brain/planning", ours: []string{
		"brain/plan", "internal/stopwatch", "internal/brain/phases", "internal/brain/sections", "torch", "torch/nn",
		"peft", "speech", "wavlm", "brain/dataset", "brain/design", "brain/experiment", "brain/extract",
		"brain/loss", "brain/progress", "internal/brain/readout", "brain/results", "brain/ridge", "brain/stats",
		"internal/brain/encoding", "internal/brain/study", "internal/brain/tune", "internal/brain/windows",
	}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "internal/stopwatch", ours: []string{"torch"}},
	{packages: "internal/brain/stepbench", ours: []string{
		"torch", "speech", "wavlm", "brain/dataset", "brain/design", "brain/experiment", "brain/loss",
		"internal/brain/phases", "internal/brain/sections", "internal/brain/study", "internal/brain/tune",
		"internal/brain/windows", "internal/stopwatch",
	}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain", ours: []string{
		"torch/dist", "internal/brain/planning", "internal/rundir", "speech", "internal/activations",
		"internal/brain/analysisplan", "brain/dataset", "brain/design", "brain/experiment", "brain/plan",
		"brain/progress", "brain/results", "internal/brain/evaluate", "internal/brain/study", "internal/brain/tune",
	}},

	// What is built on a study.
	{packages: "internal/tensorboard", ours: []string{
		"internal/rundir", "brain/experiment", "brain/progress", "brain/results",
	}},
	{packages: "brain/probe", ours: []string{
		"internal/probing", "torch", "npy", "speech", "brain", "internal/acoustic", "brain/dataset", "brain/design",
		"brain/experiment", "brain/progress", "brain/results", "brain/ridge", "brain/stats",
		"internal/brain/evaluate", "internal/brain/study", "internal/brain/windows",
	}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain/controls", ours: []string{
		"internal/probing", "internal/rundir", "torch", "npy", "brain", "internal/acoustic", "brain/dataset",
		"brain/design", "brain/experiment", "brain/probe", "brain/results", "internal/brain/encoding",
		"internal/brain/evaluate", "internal/brain/study", "internal/brain/tune", "internal/brain/windows",
	}, others: []string{"gonum.org/v1/gonum/..."}},
	{packages: "brain/transfer", ours: []string{
		"internal/brain/subrun", "internal/rundir", "brain", "brain/dataset", "brain/experiment",
		"brain/progress", "brain/results", "brain/stats", "internal/brain/evaluate", "internal/brain/study",
		"internal/brain/tune",
	}},
	{packages: "internal/brain/subrun", ours: []string{
		"internal/rundir", "brain", "brain/experiment", "brain/progress", "brain/results",
	}},
	{packages: "brain/sweep", ours: []string{
		"internal/brain/analysisplan", "internal/brain/subrun", "internal/rundir", "brain", "brain/experiment",
		"brain/progress", "brain/results",
	}},
	{packages: "internal/brain/folds", ours: []string{
		"internal/brain/subrun", "brain", "brain/experiment", "brain/results", "brain/stats", "internal/brain/study",
	}},
	{packages: "internal/brain/demo", ours: []string{
		"internal/probing", "internal/rundir", "internal/cortex", "npy", "speech", "speech/pretrained", "brain",
		"brain/dataset", "brain/experiment", "brain/probe", "brain/progress", "brain/results", "internal/sim",
		"brain/stats", "internal/brain/encoding", "internal/brain/evaluate", "internal/brain/study",
		"internal/brain/tune",
	}},
	{packages: "internal/brain/finished", ours: []string{
		"internal/cortex", "npy", "brain/controls", "brain/dataset", "internal/brain/demo", "brain/design",
		"brain/experiment", "brain/results", "brain/stats", "internal/rundir",
	}},
	{packages: "internal/brain/rerun", ours: []string{"internal/rundir", "npy", "brain/results"}},
	{packages: "internal/brain/publish", ours: []string{
		"internal/rundir", "internal/ckpt", "peft", "brain/experiment", "brain/results",
	}},
	{packages: "internal/brain/verify", ours: []string{
		"internal/cortex", "internal/brain/calibration",
		"internal/brain/datacheck", "internal/rundir", "internal/ckpt", "npy", "peft", "speech", "speech/pretrained",
		"brain/dataset", "brain/experiment", "brain/results",
	}},
	{packages: "brain/report", ours: []string{
		"internal/cortex", "internal/render", "npy", "internal/brain/demo", "brain/design", "brain/experiment",
		"brain/results", "brain/stats", "internal/brain/finished",
	}, others: []string{"gonum.org/v1/..."}},
	{packages: "brain/bids", ours: []string{
		"internal/cortex", "npy", "brain/results", "internal/brain/finished",
	}},

	// Of tests.
	{packages: "internal/brain/studytest", tests: true, ours: []string{
		"torch/dist",
		"internal/brain/responses", "internal/rundir", "torch", "internal/ckpt", "npy", "speech", "wavlm",
		"internal/activations", "brain/dataset", "brain/design", "brain/experiment", "brain/extract",
		"brain/progress", "brain/results", "internal/brain/evaluate", "internal/brain/study", "internal/brain/tune",
		"internal/torchtest",
	}, others: []string{"github.com/stretchr/testify/..."}},
	{packages: "internal/tfevents/readback", tests: true, others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/disk/disktest", tests: true, others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/faulttest", tests: true, others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/filetest", tests: true, ours: []string{"npy"},
		others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/exampletest", tests: true, ours: []string{
		"torch", "audio", "npy", "brain", "brain/experiment", "internal/sim",
	},
		others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/labtest", tests: true, ours: []string{"npy"},
		others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/releasetest", tests: true, ours: []string{"internal/ckpt", "npy"},
		others: []string{"github.com/stretchr/testify/require"}},
	{packages: "internal/torchtest", tests: true, ours: []string{"torch"}},

	{packages: "internal/disk/disktest", tests: true, others: []string{"github.com/stretchr/testify/require"}},
	{packages: utilities, others: []string{"golang.org/x/sys/..."}},
	{packages: "cmd/...", ours: []string{"..."}, others: []string{"..."}},
	{packages: "bench", ours: []string{"..."}, others: []string{"..."}},
	{packages: "examples/...", ours: []string{"..."}, others: []string{"..."}},
	{packages: "tools/...", ours: []string{"..."}, others: []string{"..."}},
}

// matches reports whether a path falls under a pattern.
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
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,CgoFiles,Imports",
		"./...")
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

// ruleOf returns the rule of a package, nil if there is none.
func ruleOf(name string) *rule {
	i := slices.IndexFunc(rules, func(r rule) bool { return matches(r.packages, name) })
	if i < 0 {
		return nil
	}
	return &rules[i]
}

// utility reports whether any package may import this one.
func utility(name string) bool {
	r := ruleOf(name)
	return r != nil && r.packages == utilities
}

// wrong tells what a package imports that its rule does not allow.
func wrong(name string, p listed, all map[string]listed) []string {
	r := ruleOf(name)
	if r == nil {
		return []string{fmt.Sprintf("%s: is in no rule; decide what it may import and add one", name)}
	}
	var out []string
	for _, imported := range p.Imports {
		below, ours := inside(imported)
		allowed, looked := r.others, imported
		if ours {
			allowed, looked = append([]string{"fault"}, r.ours...), below
		}
		if imported == "C" || all[imported].Standard || ours && utility(below) {
			continue
		}
		if !slices.ContainsFunc(allowed, func(pattern string) bool { return matches(pattern, looked) }) {
			out = append(out, fmt.Sprintf("%s → %s: rule %q does not allow it", name, looked, r.packages))
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
		if name, ours := inside(importPath); ours && name != "torch" && name != "torch/dist" {
			assert.Empty(t, p.CgoFiles, "%s imports C; only torch and torch/dist may", name)
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
		{"peft", module + "/wavlm", true},
		{"internal/ckpt", "gonum.org/v1/gonum/mat", true},
		{"brain/ridge", module + "/brain/stats", false},
		{"brain", module + "/internal/cortex", true},
		{"brain", "gonum.org/v1/plot", true},
		{"brain/report", "gonum.org/v1/plot", false},
		{"internal/brain/study", module + "/internal/brain/tune", true},
		{"internal/brain/windows", module + "/brain/dataset", true},
		{"brain/results", module + "/internal/brain/study", true},
		{"brain/design", module + "/brain", true},
		{"internal/x", module + "/torch", true},
		{"audio", module + "/internal/x", false},
		{"audio", module + "/internal/gifti", true},
		{"cmd/bwlm", module + "/internal/cortex", false},
		{"unheard/of", "fmt", true},
	} {
		assert.Equal(t, c.refused, len(wrong(c.name, listed{Imports: []string{c.imported}}, all)) > 0, "%s → %s",
			c.name, c.imported)
	}
}
