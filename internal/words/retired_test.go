package words

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// retired are phrases that must not come back, with their successors. They match as whole words in any case; one that
// ends with * also matches longer words.
var retired = []struct {
	is  string
	was []string
}{
	{"activations of frozen layers", []string{"no tuning changes"}},
	{"activation cache", []string{"frozen frames"}},
	{"backward pass", []string{"the way back"}},
	{"bit-identical", []string{"to the bit", "same bits"}},
	{"control analyses", []string{"what else than the brain"}},
	{"non-inferiority margin", []string{"largest loss that counts"}},
	{"minimum detectable difference", []string{"smallest change that the test rows"}},
	{"extraction by chunks", []string{"mode block", "block mode"}},
	{"layer weights", []string{"layer mix", "layer_mix", "layermix", "mix_lr"}},
	{"ridge readout", []string{"pinned readout", "pinned readouts"}},
	{"context rows", []string{"HaloTRs", "halo_trs", "no_halo", "NoHalo"}},
	{"block rows", []string{"BlockTRs", "block_trs"}},
	{"chunk rows", []string{"ChunkTRs", "chunk_trs"}},
	{"chunk seconds", []string{".BlockSeconds", "block_seconds"}},
	{"refit steps", []string{"RefreshSteps", "refresh_steps"}},
	{"retention constraint", []string{"GuardROI", "GuardWeight", "GuardMargin", "GuardR", "guard_roi", "guard_weight",
		"guard_margin"}},
	{"pooling", []string{"model.token", "first_token", "FirstToken"}},
	{"extraction", []string{"model.mode"}},
	{"compat: release", []string{"compat: paper", "compat:paper", "compat=paper"}},
	{"check-timing", []string{"bwlm align"}},
	{"lock-analysis", []string{"bwlm seal"}},
	{"variance-partition", []string{"bwlm explain-gain"}},
	{"subject", []string{`json:"people`, `json:"person`, "other_person", "isc_people",
		"over people", "all people", "each person", "one person", "another person", "nobody hears", "nobody answers"}},
	{"rois", []string{`json:"region`, `json:"regions`}},
	{"delta", []string{`json:"less_base`, `json:"less_first`, `json:"gain*`, "tuned less base", "tuned less the base"}},
	{"test_reads", []string{`json:"looks`, ".looks.jsonl"}},
	{"analysis_plan", []string{`json:"seal`}},
	{"WithHint", []string{".Advise("}},
	{"reports whether", []string{"tells whether", "tells if"}},
	{"at most n, a number of", []string{"so many bytes", "so many rows", "so many subjects", "so many voxels",
		"at most so many", "up to so many"}},
	{"resumes, continues", []string{"the training goes on", "run goes on"}},
	{"unknown", []string{"nobody knows"}},
	{"flags of", []string{"can be asked for"}},
}

// exempt are files with tables of old and new names, as are those whose names begin with "retired".
var exempt = []string{"CHANGELOG.md", "docs/keys.md", "internal/words/retired_test.go", drawn}

// drawn is a test with a retired phrase in its golden picture.
const drawn = "internal/render/render_test.go"

// kept is a key of metrics.jsonl, a format that other programs read.
const kept = `json:"guard_r,omitempty"`

// skipped are folders without text of ours.
var skipped = []string{"third_party", "out", "runs", "golden"}

// maxColumns is the longest line of Go, a tab counting 4.
const maxColumns = 120

// find returns the place of a phrase in a text in lower case, -1 if it is not there as a whole word. Searching plain
// phrases takes a tenth of the time of one regular expression.
func find(lower, phrase string) int {
	phrase, longer := strings.CutSuffix(strings.ToLower(phrase), "*")
	for from := 0; ; {
		at := strings.Index(lower[from:], phrase)
		if at < 0 {
			return -1
		}
		at += from
		end := at + len(phrase)
		starts := at == 0 || !wordByte(phrase[0]) || !wordByte(lower[at-1])
		ends := end == len(lower) || longer || !wordByte(phrase[len(phrase)-1]) || !wordByte(lower[end])
		if starts && ends {
			return at
		}
		from = at + 1
	}
}

func wordByte(b byte) bool { return b == '_' || b >= '0' && b <= '9' || b|32 >= 'a' && b|32 <= 'z' }

func TestRetiredWordsAndLongLinesStayOut(t *testing.T) {
	root, seen := os.DirFS("../.."), 0
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (slices.Contains(skipped, d.Name()) || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case d.IsDir() || !slices.Contains([]string{".go", ".md", ".txtar", ".yaml", ".sh", ".py"}, path.Ext(name)):
			return nil
		}
		data, err := fs.ReadFile(root, name)
		require.NoError(t, err)
		text := string(data)
		seen++
		if path.Ext(name) == ".go" && !cgoFlags(name) && !strings.HasSuffix(name, ".pb.go") { // generated
			longLines(t, name, text)
		}
		if slices.Contains(exempt, name) || strings.HasPrefix(d.Name(), "retired") {
			return nil
		}
		lower := strings.ToLower(strings.ReplaceAll(text, kept, ""))
		for _, r := range retired {
			for _, phrase := range r.was {
				if at := find(lower, phrase); at >= 0 {
					assert.Fail(t, fmt.Sprintf("%s:%d: %q is retired", name, 1+strings.Count(lower[:at], "\n"), phrase),
						"write: %s", r.is)
				}
			}
		}
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, seen, 500, "the test read too few files to show anything")
}

// cgoFlags reports whether a file has flags of the C++ compiler, which cgo wants on one line.
func cgoFlags(name string) bool { return strings.HasPrefix(path.Base(name), "cgo") }

func longLines(t *testing.T, name, text string) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		if len(line) <= maxColumns-3*strings.Count(line, "\t") {
			continue
		}
		line = strings.TrimSuffix(line, "\n")
		if columns := utf8.RuneCountInString(line) + 3*strings.Count(line, "\t"); columns > maxColumns {
			assert.Fail(t, fmt.Sprintf("%s:%d: %d columns", name, n, columns), "break the line at %d", maxColumns)
		}
	}
}

func TestFindsWholePhrasesInAnyCase(t *testing.T) {
	for _, c := range []struct {
		text, phrase string
		want         int
	}{
		{"on The Way Back", "the way back", 3},
		{"GuardROI", "guardroi", 0},
		{"safeGuardROI, GuardROI", "GuardROI", 14},
		{"layer mixes", "layer mix", -1},
		{"unlayer mix", "layer mix", -1},
		{"`json:\"gain_r,omitempty\"`", `json:"gain*`, 1},
		{"`json:\"people_seen\"`", `json:"people`, -1},
		{"err.Advise(x)", ".Advise(", 3},
		{"to the bitmap, to the bit", "to the bit", 15},
	} {
		assert.Equal(t, c.want, find(strings.ToLower(c.text), c.phrase), "%q in %q", c.phrase, c.text)
	}
}
