package verify

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/npy"
)

// scoresOnly verifies the scores of a directory without a training.
func (r *Report) scoresOnly(ctx context.Context, dir string) error {
	return r.scores(ctx, filepath.Join(dir, "eval"), "eval/")
}

// scores verifies an evaluation: its summary, its layout, and the matrices against the layout. Names of parts begin
// with prefix.
func (r *Report) scores(ctx context.Context, dir, prefix string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var s results.Summary
	path := filepath.Join(dir, "summary.json")
	err := jsonfile.Read(op, path, &s)
	if errors.Is(err, fs.ErrNotExist) {
		r.add(prefix+"summary.json", Note, "is not there: the evaluation did not come to its end, repeat it")
		return nil
	}
	if err == nil {
		err = results.CheckSchema(path, s.Schema)
	}
	r.judge(prefix+"summary.json", err, "%d test rows", s.Test.Rows)
	if err != nil {
		return nil
	}
	layout, err := results.ReadLayout(filepath.Dir(dir))
	if err == nil {
		err = sound(layout, s)
	}
	r.judge(prefix+"test/layout.json", err, "%d subjects", len(layout.Subjects))
	if err != nil {
		return nil
	}
	for _, subject := range layout.Subjects {
		if err := r.matrices(ctx, dir, prefix, subject, s.Test.Tuned != nil); err != nil {
			return err
		}
	}
	return nil
}

// sound returns an error unless the layout can be that of a summary.
func sound(l results.Layout, s results.Summary) error {
	var names []string
	for _, subject := range l.Subjects {
		names = append(names, subject.Name)
		if subject.Voxels < 1 || subject.Count() < 1 || subject.Count() > s.Test.Rows {
			return fault.New(fault.BadData, op, "", "subject %s has %d voxels and %d rows, of %d test rows",
				subject.Name, subject.Voxels, subject.Count(), s.Test.Rows)
		}
		for _, roi := range subject.ROIs {
			for _, c := range roi.Columns {
				if c < 0 || c >= subject.Voxels {
					return fault.New(fault.BadData, op, "", "ROI %s of subject %s has column %d of %d", roi.Name,
						subject.Name, c, subject.Voxels)
				}
			}
		}
	}
	if !slices.Equal(names, s.Test.Subjects) {
		return fault.New(fault.BadData, op, "", "subjects %s, and the summary has %s", strings.Join(names, ", "),
			strings.Join(s.Test.Subjects, ", "))
	}
	return nil
}

// matrices verifies the files of one subject.
func (r *Report) matrices(ctx context.Context, dir, prefix string, s results.LayoutSubject, tuned bool) error {
	stories := map[string]bool{}
	for _, rows := range s.Rows {
		stories[rows.Story] = true
	}
	want := []string{"responses", "base_pred", "base_r", "base_story_r"}
	if tuned {
		want = append(want, "base_best_layer_pred", "base_best_layer_r", "base_best_layer_story_r", "tuned_pred",
			"tuned_r", "tuned_story_r", "delta_r", "delta_p", "delta_q")
	}
	here, err := filepath.Glob(filepath.Join(escape(dir), "test", escape(s.Name), "*.npy"))
	if err != nil {
		return fault.Wrap(fault.IO, op, dir, err)
	}
	for _, path := range here {
		if name := strings.TrimSuffix(filepath.Base(path), ".npy"); !slices.Contains(want, name) {
			want = append(want, name)
		}
	}
	part, good := prefix+"test/"+s.Name, 0
	for _, name := range want {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		shape, least, largest := []int{s.Voxels}, -1.001, 1.001
		switch {
		case strings.HasSuffix(name, "_story_r"):
			shape = []int{len(stories), s.Voxels}
		case strings.HasSuffix(name, "_pred") || name == "responses":
			shape, least, largest = []int{s.Count(), s.Voxels}, -3e38, 3e38
		case strings.HasSuffix(name, "_p") || strings.HasSuffix(name, "_q"):
			least = 0
		case name == "delta_r":
			least, largest = -2.002, 2.002
		case strings.HasSuffix(name, "_alpha"):
			least, largest = 0, 3e38
		}
		if err := matrix(filepath.Join(dir, "test", s.Name, name+".npy"), shape, least, largest); err != nil {
			r.judge(part, err, "")
			continue
		}
		good++
	}
	if good == len(want) {
		r.add(part, OK, "%d files of %d rows and %d voxels", good, s.Count(), s.Voxels)
	}
	return nil
}

// matrix returns an error unless a .npy file has a shape and all its values are within bounds.
func matrix(path string, shape []int, least, largest float64) error {
	f, err := npy.Stat(path)
	if err != nil {
		return err
	}
	if !slices.Equal(f.Shape, shape) {
		return fault.New(fault.BadData, op, path, "shape %v, the layout wants %v", f.Shape, shape)
	}
	reader, err := f.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	n := 1
	for _, d := range shape {
		n *= d
	}
	buffer := make([]float32, min(n, 1<<18))
	for at := 0; at < n; at += len(buffer) {
		piece := buffer[:min(len(buffer), n-at)]
		if err := reader.Float32(at, piece); err != nil {
			return err
		}
		for i, x := range piece {
			if !(float64(x) >= least && float64(x) <= largest) {
				return fault.New(fault.BadData, op, path, "element %d is %g", at+i, x)
			}
		}
	}
	return nil
}
