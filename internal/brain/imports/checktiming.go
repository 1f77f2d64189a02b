package imports

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
	"github.com/brainwavlm/bwlm/internal/brain/timing"
)

// Timing is what a check of stimulus-response timing found in some of the responses.
type Timing struct {
	Verdict timing.Verdict `json:"verdict"`
	timing.Estimate
	Subjects map[string]string `json:"subjects"` // which voxels of each were used
	Stories  []string          `json:"stories"`
	Part     bool              `json:"part"` // there are more subjects or stories
	Findings []timing.Finding  `json:"findings"`
}

// Bounds of what the timing is checked on.
const (
	timingSubjects = 8
	timingRows     = 1500
	timingBytes    = 1 << 30
	timingVoxels   = 500
)

// auditory is the region that follows sound best.
const auditory = "AC"

// checkTiming compares sound and responses, on the voxels of each subject whose repeats agree best, else on those of
// auditory cortex, else on those of its regions, else on some of all.
func (j *job) checkTiming(ctx context.Context, d *dataset.Dataset) (*Timing, error) {
	subjects, stories, part, err := j.timed(ctx, d)
	if err != nil {
		return nil, err
	}
	out := &Timing{Subjects: map[string]string{}, Stories: stories, Part: part}
	opt := timing.Options{Subjects: subjects, Stories: stories, Columns: map[string][]int{}}
	for _, name := range subjects {
		columns, how, err := timedColumns(ctx, d, name)
		if err != nil {
			return nil, err
		}
		out.Subjects[name] = how
		if columns != nil {
			opt.Columns[name] = columns
		}
	}
	if j.opt.Progress != nil {
		opt.Progress = func(done, total int) { j.opt.Progress("check timing", done, total, "") }
	}
	r, err := timing.Run(ctx, d, opt)
	if err != nil {
		return nil, err
	}
	out.Verdict, out.Estimate, out.Findings = r.Verdict, r.Estimate, r.Findings
	return out, nil
}

// timed chooses subjects and stories: as many as the bounds allow, and at least one of each.
func (j *job) timed(ctx context.Context, d *dataset.Dataset) (subjects, stories []string, part bool, err error) {
	all := d.SubjectNames()
	n := min(len(all), timingSubjects)
	for i := range n {
		subjects = append(subjects, all[i*len(all)/n])
	}
	rows, bytes := 0, 0
	for _, story := range d.Stories() {
		storyRows, storyBytes := 0, 0
		for _, subject := range subjects {
			if !slices.Contains(d.StoriesOf(subject), story) {
				continue
			}
			r, err := d.OpenResponses(ctx, subject, story)
			if err != nil {
				return nil, nil, false, err
			}
			storyRows += r.Rows
			storyBytes += 4 * r.Repeats * r.Rows * r.Columns
		}
		switch {
		case storyRows == 0:
			part = part || n < len(all)
		case len(stories) > 0 && (rows+storyRows > timingRows || bytes+storyBytes > timingBytes):
			part = true
		default:
			stories = append(stories, story)
			rows, bytes = rows+storyRows, bytes+storyBytes
		}
	}
	return subjects, stories, part || n < len(all), nil
}

// some says how many of n voxels are used: more are spread evenly.
func some(n int, what string) string {
	if n <= timingVoxels {
		return fmt.Sprintf("%d %s", n, what)
	}
	return fmt.Sprintf("%d of %d %s", timingVoxels, n, what)
}

// timedColumns are the voxels of a subject that are used, nil for some of all, and how they were chosen.
func timedColumns(ctx context.Context, d *dataset.Dataset, subject string) (columns []int, how string, err error) {
	voxels := 0
	for _, story := range d.StoriesOf(subject) {
		r, err := d.OpenResponses(ctx, subject, story)
		if err != nil {
			return nil, "", err
		}
		voxels = r.Columns
		if r.Repeats < 2 {
			continue
		}
		columns, err := responses.MostReliable(ctx, r, timingVoxels)
		if err != nil {
			return nil, "", err
		}
		if len(columns) > 0 {
			return columns, fmt.Sprintf("%d voxels whose repeats of %s agree best", len(columns), story), nil
		}
	}
	for _, roi := range d.ROIs() {
		if roi == auditory {
			if own, err := d.ROI(ctx, roi, subject, voxels); err == nil {
				return own, some(len(own), "voxels of "+roi), nil
			}
		}
		if own, err := d.ROI(ctx, roi, subject, voxels); err == nil { // a subject may lack it
			columns = union(columns, own)
		}
	}
	if len(columns) > 0 {
		return columns, some(len(columns), "voxels of all regions"), nil
	}
	return nil, some(voxels, "voxels"), nil
}
