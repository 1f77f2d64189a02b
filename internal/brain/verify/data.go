package verify

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
)

// Story describes a story of a data set.
type Story struct {
	Name    string  `json:"story"`
	Seconds float64 `json:"seconds"` // of audio
	Rows    int     `json:"rows"`    // TRs that begin within the audio
}

// Responses describes the responses of a subject to a story.
type Responses struct {
	Subject  string `json:"subject"`
	Story    string `json:"story"`
	Repeats  int    `json:"repeats"`
	Rows     int    `json:"rows"`
	Voxels   int    `json:"voxels"`
	Constant int    `json:"constant"` // voxels that never vary
	Raw      int    `json:"raw"`      // voxels in scanner units

	NotFinite int `json:"not_finite"` // voxels with a value that is NaN or infinite
	Empty     int `json:"empty"`      // voxels that dataset.yaml says hold no values
}

// Subject describes all responses of a subject.
type Subject struct {
	Name    string  `json:"subject"`
	Stories int     `json:"stories"`
	Rows    int     `json:"rows"`    // of all repeats
	Seconds float64 `json:"seconds"` // of all repeats
	Voxels  int     `json:"voxels"`
	Space   string  `json:"space,omitempty"` // mask or surfaces

	// TSNR is the temporal signal-to-noise ratio, the median over voxels; none if means were taken out.
	TSNR float64 `json:"tsnr,omitempty"`
	FD   *Motion `json:"framewise_displacement,omitempty"`
}

// Motion is the framewise displacement of a subject's head.
type Motion struct {
	Rows  int     `json:"rows"`
	Mean  float64 `json:"mean_mm"`
	Share float64 `json:"share_above_half_mm"`
}

// data verifies a data set: all recordings, words, responses, motion and ROIs.
func (r *Report) data(ctx context.Context, path string) error {
	d, err := dataset.Open(path)
	if err != nil {
		r.judge("dataset.yaml", err, "")
		return nil
	}
	all := datacheck.Subjects(d)
	r.add("dataset.yaml", OK, "%s: %d stories, %d subjects, %d ROIs", d.Name(), len(d.Stories()), len(all),
		len(d.ROIs()))
	shapes, err := datacheck.CheckShapes(ctx, d, all, d.Stories())
	if err != nil {
		r.judge("rows", err, "")
	} else {
		for _, err := range append(shapes.Wrong, shapes.Lengths...) {
			r.judge("rows", err, "")
		}
		for _, note := range shapes.Notes {
			r.add("rows", Note, "%s", note)
		}
	}
	copies, err := datacheck.CheckCopies(ctx, d, all, d.Stories())
	if err == nil { // else Run below says it
		for _, err := range copies {
			r.judge("copies", err, "")
		}
	}
	found, err := datacheck.Run(ctx, d, datacheck.Options{Failed: func(err error) { r.judge("values", err, "") }})
	if err != nil {
		return err
	}
	for _, s := range found.Stories {
		r.Stories = append(r.Stories, Story{s.Story, s.Seconds, s.Rows})
	}
	voxels := map[string]int{}
	for _, m := range found.Matrices {
		r.Responses = append(r.Responses, Responses(m))
		voxels[m.Subject] = m.Voxels
	}
	for _, warning := range found.Warnings {
		r.add("values", Note, "%s", warning)
	}
	r.rois(ctx, d, all, voxels)
	spaces := r.spaces(ctx, d, all, voxels)
	for _, s := range found.Subjects {
		r.Subjects = append(r.Subjects, Subject{Name: s.Subject, Stories: s.Stories, Rows: s.Rows, Seconds: s.Seconds,
			Voxels: s.Voxels, Space: spaces[s.Subject], TSNR: s.TSNR, FD: (*Motion)(s.FD)})
	}
	return nil
}

// rois verifies each region of interest in the columns of the subjects who have it.
func (r *Report) rois(ctx context.Context, d *dataset.Dataset, subjects []string, voxels map[string]int) {
	for _, roi := range d.Spec().ROIs {
		of := subjects
		if roi.Region.Absent() {
			of = nil
			for _, s := range roi.BySubject {
				of = append(of, s.Subject)
			}
		}
		least, largest := 0, 0
		var failed error
		for _, subject := range of {
			if voxels[subject] == 0 || failed != nil { // its responses could not be read
				continue
			}
			columns, err := d.ROI(ctx, roi.Name, subject, voxels[subject])
			failed = err
			if n := len(columns); err == nil && (least == 0 || n < least) {
				least = n
			}
			largest = max(largest, len(columns))
		}
		r.judge("ROI "+roi.Name, failed, "%d subjects, %d to %d columns", len(of), least, largest)
	}
}
