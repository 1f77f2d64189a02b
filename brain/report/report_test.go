package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/filetest"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// Names that a file may hold and a page must not obey.
const (
	hostile = `<script>alert(1)</script>`
	breaker = `"></svg><img src=x onerror=alert(2)>`
)

const madeVoxels = 40

// made is a run whose numbers are planted: the hostile region gains, the other loses nothing. Voxel
// 7 is constant.
func made(t testing.TB) string {
	dir := filepath.Join(t.TempDir(), "run")
	exp := experiment.Default()
	exp.Model.Path, exp.Data.Path, exp.Out = "/home/somebody/models/nano", "/home/somebody/data", "/home/somebody/run"
	exp.Data.Subjects, exp.Data.Train, exp.Data.Val, exp.Data.Test = []string{"ann"}, []string{"a"}, []string{"b"},
		[]string{"c"}
	var config bytes.Buffer
	require.NoError(t, exp.Write(&config))
	filetest.Put(t, dir, "config.yaml", config.String())
	filetest.Put(t, dir, "manifest.json", results.Manifest{Schema: results.RunSchema,
		Versions: map[string]string{"bwlm": "v0.9"}, Seed: 5,
		Splits:   []string{"train a[0:100]", "val b[0:50]", "test " + hostile + "[0:480]"},
		Subjects: []results.ManifestSubject{{Name: "ann", Voxels: madeVoxels, Tuned: 30}},
		Inputs: []results.ManifestInput{{Path: "/home/somebody/data/" + hostile + "/a.npy", Bytes: 1234567,
			SHA256: "abc"}}, Notes: []string{hostile}})
	filetest.Put(t, dir, "metrics.jsonl", `{"epoch":0,"step":0,"train_loss":null,"val_r":0.30}
{"step":1,"epoch":1,"story":"a","from":0,"to":10,"loss":-0.2}
{"epoch":1,"step":1,"train_loss":-0.2,"val_r":0.35}
`)
	ci := &stats.Interval{.02, .06}
	layer := 9
	at := func(all, a, b float64) results.ModelScore {
		return results.ModelScore{Layer: &layer, MeanR: all,
			ROIs: map[string]float64{hostile: a, breaker: b, roikeys.Tuned: all}}
	}
	base, tuned, best, most := at(.3, .3, .3), at(.34, .38, .3), at(.31, .31, .3), at(.6, .6, .6)
	share := func(r float64) *results.CCNorm {
		all := 100 * r / .6
		return &results.CCNorm{MeanR: &all, ROIs: map[string]float64{}}
	}
	base.OfCeiling, tuned.OfCeiling = share(.3), share(.34)
	filetest.Put(t, dir, "eval/summary.json", results.Summary{Schema: results.RunSchema, Chosen: 1,
		Test: results.Scores{Rows: 480, Subjects: []string{"ann"}, Base: base, Tuned: &tuned,
			BaseBestLayer: &best, Ceiling: &most, DeltaBest: &results.Delta{MeanR: .03, CI95: ci},
			Delta: &results.Delta{MeanR: .04, CI95: ci, Significance: results.Significance{P: .002, Q: .003},
				AuditoryNonInferiority: &stats.NonInferiority{Margin: .015, P: .01, NonInferior: true, Smallest: .004},
				NonInferiority: map[string]*stats.NonInferiority{hostile: {Margin: .002, P: .3,
					Smallest: .004}}, ROIs: map[string]results.DeltaROI{
					hostile: {MeanR: .08, CI95: ci, Significance: results.Significance{P: .002, Q: .003}},
					breaker: {MeanR: 0, CI95: &stats.Interval{-.01, .01},
						Significance: results.Significance{P: .9, Q: .9}}}}}})
	columns := func(from, to int) (out []int) {
		for c := from; c < to; c++ {
			out = append(out, c)
		}
		return out
	}
	filetest.Put(t, dir, "eval/test/layout.json", map[string]any{"schema": results.RunSchema,
		"subjects": []any{map[string]any{"name": "ann", "voxels": madeVoxels,
			"rows": []any{map[string]any{"Story": "c", "From": 0, "To": 480}}, "rois": []any{
				map[string]any{"name": hostile, "columns": columns(0, 20)},
				map[string]any{"name": breaker, "columns": columns(20, 40)}}}}})
	baseR, tunedR, gain, ceiling := make([]float32, madeVoxels), make([]float32, madeVoxels),
		make([]float32, madeVoxels), make([]float32, madeVoxels)
	for v := range baseR {
		baseR[v], ceiling[v] = .1+.01*float32(v), .8
		tunedR[v] = baseR[v]
		if v < 20 {
			tunedR[v] += .08
		}
		gain[v] = tunedR[v] - baseR[v]
	}
	for _, x := range [][]float32{baseR, tunedR, gain} {
		x[7] = float32(math.NaN())
	}
	q := slices.Repeat([]float32{1}, madeVoxels)
	q[0], q[1], q[2], q[7] = .01, .05, .06, .01
	for name, x := range map[string][]float32{"base_r": baseR, "tuned_r": tunedR, "delta_r": gain, "delta_q": q,
		"ceiling": ceiling} {
		filetest.Put(t, dir, "eval/test/ann/"+name+".npy", x)
	}
	return dir
}

func pageOf(t testing.TB, dirs ...string) string {
	t.Helper()
	r, err := Read(t.Context(), dirs...)
	require.NoError(t, err)
	var b strings.Builder
	require.NoError(t, r.HTML(&b))
	return b.String()
}

// has wants texts on a page, which is too long to print.
func has(t testing.TB, page string, wanted ...string) {
	t.Helper()
	page = strings.ReplaceAll(page, "&#43;", "+")
	for _, want := range wanted {
		assert.True(t, strings.Contains(page, want), "%q is not on the page", want)
	}
}

// hasNot wants that nothing on a page matches.
func hasNot(t testing.TB, page string, patterns ...string) {
	t.Helper()
	for _, p := range patterns {
		assert.Empty(t, regexp.MustCompile(p).FindAllString(page, 3), p)
	}
}

func TestPageSaysWhatImprovedWhereAndWhetherItIsSignificant(t *testing.T) {
	page := pageOf(t, made(t))
	head := page[:strings.Index(page, "<nav")]
	has(t, head, "+0.040", "[+0.020, +0.060]", "p .002", "significant gain",
		"mean r 0.300 before, 0.340 after, on 480 test rows",
		"Gains in &lt;script&gt;alert(1)&lt;/script&gt; (+0.080).", "No significant change in")
	has(t, page, "Voxels: r is higher in 2 and lower in 0 of 39, at a false discovery rate of 5 % in each subject.")
	has(t, page, "Auditory cortex: non-inferiority shown at a margin of 0.015 (5 % of the untuned r; p .010); the "+
		"test rows exclude losses above 0.004.",
		"ROI &lt;script&gt;alert(1)&lt;/script&gt;: non-inferiority not shown at a margin of 0.002 (locked before "+
			"tuning; p .300)")
	has(t, page, "untuned model at its best layer (9): +0.030 [+0.020, +0.060], still a significant gain", "50 %",
		"57 %",
		"Validation r from 0.300 (epoch 0, untuned) to 0.350 (epoch 1)", "19 of 39 voxels have a higher r after tuning",
		"0 of 39 voxels are above their estimated ceiling",
		"Not run: control analyses. <code>bwlm controls run</code>",
		"<code>bwlm variance-partition run --json &gt; run/variance_partition.json</code>",
		"<code>bwlm transfer run/config.yaml</code>", "<code>bwlm probe run --json &gt; run/probe.json</code>",
		"nobody says where the voxels are", "1\u202f234\u202f567", "bwlm train run/config.yaml", "arXiv 2502.08866")
	has(t, page, `<th scope="row">ann</th><td>40</td><td>30</td><td>1</td>`) // voxels, tuned on, constant
	assert.NotContains(t, page, "By subject", "one subject is the table already")
}

func TestPageOfFoldsHasTheirMeanAndEachStory(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "folds"), 0o755))
	for _, story := range []string{"one", "two"} {
		require.NoError(t, os.Rename(made(t), filepath.Join(dir, "folds", story)))
	}
	r, best := .34, .31
	mean := results.FoldMean{Score: stats.Score{Mean: .32, CI95: &stats.Interval{.2, .44}}}
	delta := map[string]float64{roikeys.All: .04, hostile: -.08}
	folds := results.Folds{Schema: 1, Base: mean, Tuned: &mean, BaseBestLayer: &mean,
		Delta: map[string]results.FoldMean{hostile: {Score: stats.Score{Mean: -.08}},
			roikeys.All: {Score: stats.Score{Mean: .04, CI95: &stats.Interval{-.01, .09}}}},
		Folds: []results.Fold{{Story: "one", Run: "folds/one", Rows: 480, Base: .3, BaseBestLayer: &best, Tuned: &r,
			Chosen: 3, Delta: delta}, {Story: hostile, Run: "folds/two", Base: .2, BaseBestLayer: &best, Tuned: &r,
			Delta: delta}}}
	filetest.Put(t, dir, "folds.json", folds)
	page := pageOf(t, dir)
	has(t, page, "2 folds over stories", `<th scope="row">untuned, all voxels</th><td>0.320</td>`, "[0.200, 0.440]",
		`<th scope="row">Δr, all voxels</th><td>+0.040</td><td class="ci">[−0.010, +0.090]</td>`,
		`<th scope="row">Δr, &lt;script&gt;alert(1)&lt;/script&gt;</th><td>−0.080</td><td class="ci">no interval</td>`,
		`<th scope="row">one</th><td>480</td><td>0.300</td>`, "<td>+0.040</td><td>3</td>",
		`<th scope="row">&lt;script&gt;alert(1)&lt;/script&gt;</th><td>0</td><td>0.200</td>`)
	folds.Folds[1].Run = "../elsewhere"
	filetest.Put(t, dir, "folds.json", folds)
	_, err := Read(t.Context(), dir)
	require.ErrorContains(t, err, "is no folder below it")
	assert.NotContains(t, pageOf(t, filepath.Join(dir, "folds", "one")), "Mean over folds")
}

func TestPageHasTheScoresOfEachSubject(t *testing.T) {
	dir := made(t)
	path := filepath.Join(dir, "eval", "summary.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var s results.Summary
	require.NoError(t, json.Unmarshal(text, &s))
	r, more, ceiling := .3, .02, .6
	s.Test.SubjectScores = []results.SubjectScore{
		{Subject: hostile, Rows: 480, Base: .28, Tuned: &r, Delta: &more, CI95: &stats.Interval{.01, .03},
			Ceiling: &ceiling},
		{Subject: "bob", Rows: 240, Base: .1, Tuned: &r, Delta: &more}}
	filetest.Put(t, dir, "eval/summary.json", s)
	page := pageOf(t, dir)
	_, table, _ := strings.Cut(page, "<h3>By subject</h3>")
	table, _, _ = strings.Cut(table, "</table>")
	has(t, table, `<th scope="row">&lt;script&gt;alert(1)&lt;/script&gt;</th><td>480</td><td>0.280</td>`,
		"[+0.010, +0.030]",
		`<th scope="row">bob</th><td>240</td><td>0.100</td>`, "no interval", ">0.600</td>")
}

func TestPageStandsByItself(t *testing.T) {
	dir := made(t)
	page := pageOf(t, dir)
	assert.True(t, page == pageOf(t, dir), "equal directories give equal bytes")
	hasNot(t, page, `(src|href|srcset|action)="?(http|//|file)`, `url\(`, `@import`, `<(link|iframe|object|form)`,
		`<[^>]*\son\w+=`, `<img src=x`,
		"somebody", regexp.QuoteMeta(filepath.Dir(dir))) // paths are cut

	// The only script is that of the policy.
	scripts := regexp.MustCompile(`(?s)<script[^>]*>(.*?)</script>`).FindAllStringSubmatch(page, -1)
	require.Len(t, scripts, 1)
	sum := sha256.Sum256([]byte(scripts[0][1]))
	has(t, page, "script-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	assert.Equal(t, 6, strings.Count(page, "<svg"), "gains, levels, curve, voxels, spread, ceiling")
}

func TestPageIsReadableByAScreenReader(t *testing.T) {
	page := pageOf(t, made(t))
	has(t, page, `<html lang="en">`)
	assert.Equal(t, 1, strings.Count(page, "<h1>"))
	assert.Equal(t, 1, strings.Count(page, "<main "))
	for _, tag := range regexp.MustCompile(`<th[ >][^>]*>?`).FindAllString(page, -1) {
		assert.Contains(t, tag, "scope=")
	}
	for _, tag := range regexp.MustCompile(`<svg[^>]*>`).FindAllString(page, -1) {
		assert.Regexp(t, `role="img" aria-label="[^"]{20,}"`, tag)
	}
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.False(t, ids[m[1]], m[1])
		ids[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`(?:href="#|aria-labelledby=")([^"]*)"`).FindAllStringSubmatch(page, -1) {
		assert.True(t, ids[m[1]], m[1])
	}
}

func TestRunsSideBySide(t *testing.T) {
	a, b := made(t), made(t)
	page := pageOf(t, a, b)
	has(t, page, "Side by side")
	has(t, page, "All runs")
	has(t, page, "001/run</a>")
	has(t, page, `href="#run-2"`)
	has(t, page, "Effect of each run")
}

func TestVerdicts(t *testing.T) {
	ci := func(a, b float64) *stats.Interval { return &stats.Interval{a, b} }
	for _, c := range []struct {
		mean float64
		ci   *stats.Interval
		p    float64
		want string
	}{
		{.1, ci(.05, .15), .001, "gain"}, {-.1, ci(-.15, -.05), .001, "loss"}, {.1, ci(-.05, .2), .001, "open"},
		{.1, ci(.05, .15), .2, "open"},
		{.1, ci(.05, .15), 0, "gain"}, {.1, nil, .001, "gain"}, {.1, nil, 0, "open"}, {.1, nil, .2, "open"},
		{.1, ci(0, .2), .01, "open"},
	} {
		assert.Equal(t, c.want, kind(c.mean, c.ci, c.p), "%+v", c)
	}
	untuned := &pageOfRun{&finished.Run{Scores: results.Scores{Rows: 112, Subjects: []string{"a", "b"},
		Base: results.ModelScore{MeanR: .2, ROIs: map[string]float64{"low": .1, "high": .3}}}}}
	v := untuned.Verdict()
	assert.Equal(t, "none", v.Kind)
	assert.Equal(t, "Highest in high (0.300), lowest in low (0.100).", v.Where)
	assert.Contains(t, v.Sentence,
		"of 2 subjects with a mean r of 0.200 on 112 test rows. There are too few rows for an interval.")

	asItWas := &pageOfRun{&finished.Run{Chosen: 0, Epochs: []results.Epoch{{}, {Epoch: 1}},
		Scores: results.Scores{Base: results.ModelScore{MeanR: .2}, Tuned: &results.ModelScore{MeanR: .2},
			Delta: &results.Delta{CI95: ci(0, 0)}}}}
	assert.Equal(t, "no change", asItWas.Verdict().Word)
	assert.Contains(t, asItWas.Verdict().Sentence, "the tuned model is the untuned one")
}

func TestReadRefusesWhatIsDamaged(t *testing.T) {
	for _, c := range []struct {
		name string
		text any
		kind fault.Kind
		why  string
	}{
		{"eval/summary.json", "{", fault.BadData, "summary.json"},
		{"eval/summary.json", `{"schema": 1}`, fault.BadData, "an earlier version of bwlm wrote this run"},
		{"eval/test/layout.json", `{"schema": 1}`, fault.BadData, "an earlier version of bwlm wrote this run"},
		{"config.yaml", "model:\n  token: last\n", fault.BadData, "an earlier version of bwlm wrote this run"},
		{"eval/test/layout.json", `{"schema": 2, "subjects": [{"name": "../../x", "voxels": 1}]}`, fault.BadData,
			"no name of a folder"},
		{"eval/test/layout.json",
			`{"schema": 2, "subjects": [{"name": "ann", "voxels": 40, "rois": [{"name": "r", "columns": [40]}]}]}`,
			fault.BadData, "column 40"},
		{"eval/test/ann/base_r.npy", []float32{1, 2}, fault.BadData, "layout says [40]"},
		{"metrics.jsonl", "{}\n{\n", fault.BadData, "metrics.jsonl:2"},
		{"probe.json", "[]", fault.BadData, "probe.json"},
	} {
		dir := made(t)
		filetest.Put(t, dir, c.name, c.text)
		_, err := Read(t.Context(), dir)
		require.Error(t, err, c.name)
		assert.Equal(t, c.kind, fault.KindOf(err), "%v", err)
		assert.ErrorContains(t, err, c.why)
	}
	_, err := Read(t.Context(), t.TempDir())
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, "evaluate ")
	unfinished := t.TempDir()
	filetest.Put(t, unfinished, "demo.json", "{}")
	_, err = Read(t.Context(), unfinished)
	assert.ErrorContains(t, err, "did not come to its end")
}

func TestControlsProbesAndTransferAreFound(t *testing.T) {
	dir := made(t)
	text, err := os.ReadFile(filepath.Join(dir, "eval", "summary.json"))
	require.NoError(t, err)
	filetest.Put(t, dir, "controls/shuffled/eval/summary.json", string(text))
	filetest.Put(t, dir, "controls/unfinished/config.yaml", "")
	filetest.Put(t, dir, "transfer/bob/summary.json", string(text))
	filetest.Put(t, dir, "probe.json", results.Probes{Schema: 1, Layers: []int{0, 1}, Probes: map[string]*results.Probe{
		"pitch":   {LayerScores: results.LayerScores{Base: []float64{.25, .75}, Tuned: []float64{.3, .4}}},
		"speaker": {Skipped: "one voice"}}})
	saved := 3.5
	filetest.Put(t, dir, "transfer/transfer.json", results.Transfer{Schema: 1, Subjects: []string{"ann", "bob"},
		Base: []float64{.1, .2}, Matrix: [][]float64{{.31, .22}, {.12, .43}},
		Curve: &results.TransferCurve{Points: []results.CurvePoint{{Minutes: 1}, {Minutes: 2}}, Goal: .2,
			Saved: &saved}})
	r, err := Read(t.Context(), dir)
	require.NoError(t, err)
	require.Len(t, r.Runs[0].Controls, 1)
	page := pageOf(t, dir)
	has(t, page, ">Controls<", ">shuffled<", "Transfer to other subjects", ">bob<", "Layer and probe, tuned", ">0.75<",
		"Transfer between subjects", ">0.43<",
		"with 3.5 minutes less")
	hasNot(t, page, "unfinished")
}

func TestVoxelsLieOnTheirVertices(t *testing.T) {
	left, right := cortex.Synthetic(1) // 42 vertices each
	p := &finished.Places{Left: left.Surface, Right: right.Surface, Vertices: []int{3, 50, 50, 83}}
	got := p.Spread([]float32{.5, .2, .4, float32(math.NaN())})
	require.Len(t, got, 84)
	for v, r := range got {
		switch v {
		case 3:
			assert.Equal(t, float32(.5), r)
		case 50:
			assert.InDelta(t, .3, r, 1e-6, "two voxels of one vertex")
		default:
			assert.True(t, math.IsNaN(float64(r)), v)
		}
	}
	assert.True(t, p.Fits(4))
	assert.False(t, p.Fits(5))
	p.Vertices[0] = 84
	assert.False(t, p.Fits(4), "no such vertex")
	p.Vertices = nil
	assert.True(t, p.Fits(84))
	assert.False(t, p.Fits(83))
}

func TestMapsAreDrawnWhereTheDataSetNamesPlaces(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir := made(t)
	rep, err := Read(t.Context(), dir)
	require.NoError(t, err)
	r := rep.Runs[0]
	left, right := cortex.Synthetic(1)
	place := func(in *finished.Places) {
		r.Places = in
		for i := range r.Subjects {
			r.Subjects[i].Places = in
		}
	}
	place(&finished.Places{Left: left.Surface, Right: right.Surface})
	maps, err := r.Maps()
	require.NoError(t, err)
	assert.Empty(t, maps, "40 voxels, 84 vertices")
	for v := range madeVoxels {
		r.Places.Vertices = append(r.Places.Vertices, 2*v)
	}
	maps, err = r.Maps()
	require.NoError(t, err)
	require.Len(t, maps, 3)
	assert.Equal(t, "Δr", maps[2].Title)
	assert.Contains(t, maps[2].Alt, "(0.080)")
	place(&finished.Places{Volume: &cortex.Volume{Dim: [3]int{4, 5, 2},
		Affine: [3][4]float64{{3, 0, 0, 0}, {0, 3, 0, 0}, {0, 0, 3, 0}}}})
	for v := range madeVoxels {
		r.Places.Volume.Voxels = append(r.Places.Volume.Voxels, v)
	}
	maps, err = r.Maps()
	require.NoError(t, err)
	assert.Len(t, maps, 3, "through a glass brain")

	r.Places = nil // each subject has its own
	maps, err = r.Maps()
	require.NoError(t, err)
	assert.Empty(t, maps, "there is no mean over places that differ")
	own, err := r.mapsOfSubjects(9)
	require.NoError(t, err)
	assert.Len(t, own, len(r.Subjects))
}

// A run of two subjects whose data set names a mask is drawn through a glass brain, each subject, too,
// and the mask's hash is there.
func TestRunInAMask(t *testing.T) {
	dir := made(t)
	data := filepath.Join(filepath.Dir(dir), "data")
	filetest.Put(t, data, "dataset.yaml",
		"name: made\ntr_seconds: 2\nmask: mask.nii.gz\nstories:\n  a: {audio: a.wav}\nsubjects:\n  ann: {a: a.npy}\n")
	inside := make([]float32, 4*5*3)
	for v := range madeVoxels {
		inside[v] = 1
	}
	var mask bytes.Buffer
	require.NoError(t, nifti.NewFloat([]int{4, 5, 3}, [3][4]float64{{9, 0, 0, -15}, {0, 9, 0, -20}, {0, 0, 9, 0}},
		inside).WriteGzip(&mask))
	filetest.Put(t, data, "mask.nii.gz", mask.String())
	exp := experiment.Default()
	exp.Model.Path, exp.Data.Path, exp.Out = "nano", data, dir
	exp.Data.Subjects, exp.Data.Train, exp.Data.Val, exp.Data.Test = []string{"all"}, []string{"a"}, []string{"b"},
		[]string{"c"}
	var config bytes.Buffer
	require.NoError(t, exp.Write(&config))
	filetest.Put(t, dir, "config.yaml", config.String())
	text, err := os.ReadFile(filepath.Join(dir, "eval", "test", "layout.json"))
	require.NoError(t, err)
	ann := regexp.MustCompile(`\{"name":"ann".*\}`).FindString(strings.TrimSuffix(strings.TrimSpace(string(text)),
		`]}`))
	filetest.Put(t, dir, "eval/test/layout.json", `{"schema":2,"subjects":[`+ann+","+strings.Replace(ann, "ann", "bob",
		1)+`]}`)
	require.NoError(t, os.CopyFS(filepath.Join(dir, "eval", "test", "bob"),
		os.DirFS(filepath.Join(dir, "eval", "test", "ann"))))

	page := pageOf(t, dir)
	assert.Equal(t, 3+2*2, strings.Count(page, `<img src="data:image/png`),
		"base, tuned, difference; tuned and difference of each")
	has(t, page, "<details><summary>bob</summary>", `alt="bob, Δr. Map of tuned − untuned`,
		fmt.Sprintf("%x", sha256.Sum256(mask.Bytes())))
	hasNot(t, page, regexp.QuoteMeta(finished.NoMaps), "more have no pictures")
	rep, err := Read(t.Context(), dir)
	require.NoError(t, err)
	r := rep.Runs[0]
	few, err := r.mapsOfSubjects(1)
	require.NoError(t, err)
	assert.Len(t, few, 1)
}

func TestPaletteKeepsFewColoursAsTheyAre(t *testing.T) {
	im := image.NewNRGBA(image.Rect(0, 0, 100, 3))
	for x := range 100 {
		for y := range 3 {
			im.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(2 * x), 7, 255})
		}
	}
	p := palette(im)
	assert.Len(t, p, 100)
	for x := range 100 {
		assert.Equal(t, im.At(x, 0), p.Convert(im.At(x, 0)))
	}
}

func TestShortPath(t *testing.T) {
	for path, want := range map[string]string{"/home/somebody/data/alice/x.npy": "…/alice/x.npy", "/data": "/data",
		"/home/somebody/run": "…/run", "/a/b": "…/b", "simulated": "simulated",
		"[1, 2]": "[1, 2]", "": "", "runs/alice": "runs/alice"} {
		assert.Equal(t, want, finished.ShortPath(path), path)
	}
}

func Example_verdict() {
	r := &pageOfRun{&finished.Run{Chosen: 3, Scores: results.Scores{Rows: 480, Subjects: []string{"ann"},
		Base: results.ModelScore{MeanR: .30}, Tuned: &results.ModelScore{MeanR: .34},
		Delta: &results.Delta{MeanR: .04, CI95: &stats.Interval{.02, .06},
			Significance: results.Significance{P: .002}}}}}
	v := r.Verdict()
	fmt.Println(v.Number, v.Interval, v.Word)
	fmt.Println(strings.ReplaceAll(v.Sentence, ": ", ":\n"))
	// Output:
	// +0.040 95 % interval [+0.020, +0.060] significant gain
	// Tuning raised the prediction of the responses of ann:
	// mean r 0.300 before, 0.340 after, on 480 test rows.
}
