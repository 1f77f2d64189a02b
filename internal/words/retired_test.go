package words

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// retired are expressions that must not come back, with their successors.
var retired = []struct{ was, is string }{
	{`(?i)\bno tuning changes\b`, "activations of frozen layers"},
	{`(?i)\bfrozen frames\b`, "activation cache"},
	{`(?i)\bthe way back\b`, "backward pass"},
	{`(?i)\bto the bit\b|\bsame bits\b`, "bit-identical"},
	{`(?i)\bwhat else than the brain\b`, "control analyses"},
	{`(?i)\blargest loss that counts\b`, "non-inferiority margin"},
	{`(?i)\bsmallest change that the test rows\b`, "minimum detectable difference"},
	{`(?i)\bmode block\b|\bblock mode\b`, "extraction by chunks"},
	{`(?i)\blayer mix\b|\blayer_?mix\b|\bmix_lr\b`, "layer weights"},
	{`(?i)\bpinned readouts?\b`, "ridge readout"},
	{`\bHaloTRs\b|\bhalo_trs\b|\bno_halo\b|\bNoHalo\b`, "context rows"},
	{`\bBlockTRs\b|\bblock_trs\b`, "block rows"},
	{`\bChunkTRs\b|\bchunk_trs\b`, "chunk rows"},
	{`\bBlockSeconds\b|\bblock_seconds\b`, "chunk seconds"},
	{`\bRefreshSteps\b|\brefresh_steps\b`, "refit steps"},
	{`\bGuard(ROI|Weight|Margin|R)\b|\bguard_(roi|weight|margin)\b`, "retention constraint"},
	{`\bmodel\.(token|mode)\b|\bfirst_token\b|\bFirstToken\b`, "pooling, extraction"},
	{`\bcompat[:=] ?paper\b`, "compat: release"},
	{`\bbwlm (align|seal|explain-gain)\b`, "check-timing, lock-analysis, variance-partition"},
	{`json:"(people|person|regions?|less_base|less_first|looks|seal|gain[a-z_]*)[",]`,
		"subjects, rois, delta, test_reads"},
	{`\bother_person\b|\bisc_people\b|\.looks\.jsonl\b`, "subject, test reads"},
	{`\.Advise\(`, "WithHint"},
}

// exempt are files with tables of old and new names, as are those whose names begin with "retired".
var exempt = []string{"CHANGELOG.md", "docs/keys.md", "internal/words/retired_test.go"}

// kept is a key of metrics.jsonl, a format that other programs read.
const kept = `json:"guard_r,omitempty"`

func TestRetiredWordsStayOut(t *testing.T) {
	patterns := make([]*regexp.Regexp, len(retired))
	for i, r := range retired {
		patterns[i] = regexp.MustCompile(r.was)
	}
	root, seen := os.DirFS("../.."), 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "third_party" || name == "out" || name == "runs" ||
			strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md", ".txtar", ".yaml", ".sh", ".py"}, path.Ext(name)),
			slices.Contains(exempt, name), strings.HasPrefix(d.Name(), "retired"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		require.NoError(t, err)
		seen++
		for n, line := range strings.Split(string(text), "\n") {
			line = strings.ReplaceAll(line, kept, "")
			for i, p := range patterns {
				if found := p.FindString(line); found != "" {
					assert.Fail(t, fmt.Sprintf("%s:%d: %q is retired", name, n+1, found), "write: %s", retired[i].is)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, seen, 500, "the test read too few files to show anything")
}

func TestEveryRetiredWordMatches(t *testing.T) {
	for _, text := range []string{"what no tuning changes", "frozen frames", "on the way back", "equal to the bit",
		"the same bits", "in mode block",
		"a layer mix", "e.Readout.LayerMix", "pinned readouts", "train.halo_trs", "BlockTRs", "eval.chunk_trs",
		"block_seconds", "GuardROI", "train.guard_roi",
		"model.token", "compat: paper", "`bwlm align x`", "`json:\"people\"`", "`json:\"gain,omitempty\"`",
		"err.Advise(\"x\")"} {
		assert.True(t, slices.ContainsFunc(retired, func(r struct {
			was,
			is string
		}) bool {
			return regexp.MustCompile(r.was).MatchString(text)
		}), text)
	}
}
