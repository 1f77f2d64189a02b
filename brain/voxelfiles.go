package brain

import (
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Write leaves what was found in a folder; dir "" writes nothing:
//
//	summary.json                the Summary
//	test/layout.json            whose voxels, which rows and which regions the matrices stand for
//	test/PERSON/responses.npy   (rows, voxels), float32 as all below: what was measured, the mean over repeats
//	    SYSTEM_pred.npy         (rows, voxels): what each system predicts: base, base_best_layer, tuned
//	    SYSTEM_r.npy            (voxels): its score
//	    delta_r.npy             (voxels): tuned less base
//	    delta_p.npy             (voxels): two-sided p of that difference, by [stats.PairedTest]; 1 where nothing can be scored
//	    delta_q.npy             (voxels): its false discovery rate over the person's voxels (Benjamini and Hochberg)
//	    ceiling.npy             (voxels): CCmax, where test stories were heard several times
//
// Systems other than base, and what compares them, are there if there is a tuned one.
func (e *Evaluation) Write(dir string) error {
	if dir == "" {
		return nil
	}
	for i, p := range e.study.people {
		want, rows := p.want(Test)
		f := voxelFiles{dir: dir, subject: p.name, rows: rows, voxels: p.voxels}
		f.matrix("responses", want)
		baseR := f.system("base", e.base[i].pred, want)
		if e.tuned != nil {
			f.system("base_best_layer", e.best[i].pred, want)
			tunedR := f.system("tuned", e.tuned[i].pred, want)
			for v := range tunedR {
				tunedR[v] -= baseR[v]
			}
			f.vector("delta_r", tunedR)
			f.vector("delta_p", float32s(e.voxels[i].P))
			f.vector("delta_q", float32s(e.voxels[i].Q))
		}
		if c, ok := p.testCeiling(); ok {
			f.vector("ceiling", float32s(c.CCMax))
		}
		if f.err != nil {
			return f.err
		}
	}
	if err := jsonfile.Write(filepath.Join(dir, "test", layoutFile), e.layout()); err != nil {
		return err
	}
	return jsonfile.Write(filepath.Join(dir, "summary.json"), e.Summary)
}

// voxelFiles writes the .npy files of one person.
type voxelFiles struct {
	dir, subject string
	rows, voxels int
	err          error // the first
}

func (f *voxelFiles) put(name string, shape []int, x []float32) {
	if f.err != nil {
		return
	}
	r := Run{Dir: f.dir}
	path, err := r.path("test", f.subject, name+".npy")
	if err == nil {
		err = ckpt.WriteNPY(path, shape, x)
	}
	f.err = err
}

func (f *voxelFiles) matrix(name string, x []float32) { f.put(name, []int{f.rows, f.voxels}, x) }

func (f *voxelFiles) vector(name string, x []float32) { f.put(name, []int{f.voxels}, x) }

func float32s(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}

// system writes the predictions of a system and the score of each voxel, which it gives back.
func (f *voxelFiles) system(name string, pred, want []float32) []float32 {
	r, _ := stats.Correlation(pred, want, f.rows, f.voxels)
	out := float32s(r)
	f.matrix(name+"_pred", pred)
	f.vector(name+"_r", out)
	return out
}
