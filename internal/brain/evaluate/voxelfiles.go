package evaluate

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

// Write writes the evaluation to a folder; dir "" writes nothing:
//
//	summary.json                the Summary
//	test/layout.json            subjects, rows and ROIs of the matrices
//	test/SUBJECT/responses.npy   (rows, voxels), float32 as all below: the responses, averaged over repeats
//	    SYSTEM_pred.npy         (rows, voxels): predictions of each system: base, base_best_layer, tuned
//	    SYSTEM_r.npy            (voxels): its score
//	    SYSTEM_story_r.npy      (stories, voxels): its score over the rows of each story, in the order of the rows
//	    SYSTEM_alpha.npy        (voxels): the alpha of its ridge
//	    SYSTEM_stack.npy        (hidden states, voxels): the weights of its stack, with eval.layer: stack
//	    stack.tsv               their means over voxels
//	    delta_r.npy             (voxels): tuned − base
//	    delta_p.npy             (voxels): its two-sided p by [stats.PairedTest]; 1 where nothing can be scored
//	    delta_q.npy             (voxels): its false discovery rate over the subject's voxels (Benjamini and Hochberg)
//	    channels.tsv            a line for each channel, where rows are bins
//	    ceiling.npy             (voxels): CCmax, where test stories were heard several times
//
// Systems features_NAME are those of eval.features. Systems other than base and these, and their comparisons, exist if
// there is a tuned one.
func (e *Evaluation) Write(ctx context.Context, dir string) error {
	if dir == "" {
		return nil
	}
	for i, p := range e.Study.Subjects {
		want, err := e.responses(ctx, i)
		if err != nil {
			return err
		}
		f := voxelFiles{dir: dir, subject: p.Name, rows: p.RowsOf(study.Test), voxels: p.Voxels}
		f.matrix("responses", want)
		baseR := f.system("base", e.Base[i], want, p.Parts[study.Test])
		if e.Tuned != nil {
			f.system("base_best_layer", e.Best[i], want, p.Parts[study.Test])
			tunedR := f.system("tuned", e.Tuned[i], want, p.Parts[study.Test])
			for v := range tunedR {
				tunedR[v] -= baseR[v]
			}
			f.vector("delta_r", tunedR)
			f.vector("delta_p", rundir.Float32s(e.Voxels[i].P))
			f.vector("delta_q", rundir.Float32s(e.Voxels[i].Q))
		}
		for _, own := range e.own {
			f.system("features_"+own.name, own.predicted[i], want, p.Parts[study.Test])
		}
		if e.Base[i].Stack != nil && f.err == nil {
			if err := e.stackTable(dir, i); err != nil {
				return err
			}
		}
		if e.lags != nil {
			if err := e.channels(dir, i, want); err != nil {
				return err
			}
		}
		c, err := e.ceiling(ctx, i)
		if err != nil {
			return err
		}
		if c != nil {
			f.vector("ceiling", rundir.Float32s(c.CCMax))
		}
		if f.err != nil {
			return f.err
		}
	}
	if err := jsonfile.Write(filepath.Join(dir, "test", results.LayoutFile), e.layout()); err != nil {
		return err
	}
	return writeSummary(dir, e.Summary)
}

// writeSummary writes the last file of an evaluation, which says that the run has come to its end. If the folder cannot
// be synced the file is there, but may not last, and is removed: the run has not come to its end then.
func writeSummary(dir string, s *results.Summary) error {
	err := jsonfile.Write(filepath.Join(dir, "summary.json"), s)
	if err != nil {
		_ = disk.In(dir, func(f *disk.Folder) error { return f.Remove("summary.json") })
	}
	return err
}

// voxelFiles writes the .npy files of one subject.
type voxelFiles struct {
	dir, subject string
	rows, voxels int
	err          error // the first
}

func (f *voxelFiles) put(name string, shape []int, x []float32) {
	if f.err != nil {
		return
	}
	r := rundir.Run{Dir: f.dir}
	path, err := r.Path("test", f.subject, name+".npy")
	if err == nil {
		err = npy.Write(path, shape, x)
	}
	f.err = err
}

func (f *voxelFiles) matrix(name string, x []float32) { f.put(name, []int{f.rows, f.voxels}, x) }

func (f *voxelFiles) vector(name string, x []float32) { f.put(name, []int{f.voxels}, x) }

// system writes the predictions of a system, its alphas and the scores of each voxel, and returns the score.
func (f *voxelFiles) system(name string, p encoding.Prediction, want []float32, parts []design.Rows) []float32 {
	r, _ := stats.Correlation(p.Pred, want, f.rows, f.voxels)
	out := rundir.Float32s(r)
	f.matrix(name+"_pred", p.Pred)
	f.vector(name+"_r", out)
	if p.Alphas != nil {
		f.vector(name+"_alpha", rundir.Float32s(p.Alphas))
	}
	if p.Stack != nil { // (voxels, states) there
		states := byState(p.Stack, f.voxels)
		f.put(name+"_stack", []int{len(states), f.voxels}, rundir.Float32s(slices.Concat(states...)))
	}
	var stories []float32
	for _, s := range encoding.StoryR(p.Pred, want, f.voxels, parts) {
		stories = append(stories, rundir.Float32s(s.R)...)
	}
	f.put(name+"_story_r", []int{len(stories) / f.voxels, f.voxels}, stories)
	return out
}
