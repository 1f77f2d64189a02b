package bids

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

var nan = float32(math.NaN())

// tableLine is a line of the table of regions: one region of one subject, or of all subjects. What is not known is nil.
type tableLine struct {
	Subject    string   `json:"subject"` // [mean]: over all subjects
	Subjects   int      `json:"subjects"`
	ROI        string   `json:"roi"`
	Voxels     int      `json:"voxels"`             // 0: not known
	Constant   *int     `json:"constant,omitempty"` // of them, whose test responses do not vary: they are in no mean
	Base       *float64 `json:"base_r"`
	Best       *float64 `json:"base_best_layer_r"`
	Tuned      *float64 `json:"tuned_r"`
	Delta      *float64 `json:"delta"`
	DeltaLow   *float64 `json:"delta_ci95_low"`
	DeltaHigh  *float64 `json:"delta_ci95_high"`
	P          *float64 `json:"p"`
	Q          *float64 `json:"q"`
	Ceiling    *float64 `json:"ceiling"`
	Share      *float64 `json:"base_percent_of_ceiling"`
	TunedShare *float64 `json:"tuned_percent_of_ceiling"`
}

// meanName is the subject of lines over all subjects.
const meanName = "[mean]"

// lines are the table of a run: all subjects first, as the report has them, then each.
func lines(run *finished.Run) (out []tableLine) {
	subjects := run.Scores.Subjects
	whole := meanName
	if len(subjects) == 1 {
		whole = subjects[0]
	}
	for _, l := range run.Table() {
		line := tableLine{Subject: whole, Subjects: len(subjects), ROI: l.Key, Voxels: l.Voxels, Base: l.Base,
			Best:  l.Best,
			Tuned: l.Tuned,
			Delta: l.Delta, P: l.P, Q: l.Q, Ceiling: l.Ceiling, Share: l.Share, TunedShare: l.TunedShare}
		if l.CI != nil {
			line.DeltaLow, line.DeltaHigh = &l.CI[0], &l.CI[1]
		}
		out = append(out, line)
	}
	if len(subjects) == 1 {
		return out
	}
	for i := range run.Subjects {
		p := &run.Subjects[i]
		out = append(out, subjectLine(p, finished.ROI{Name: roikeys.All}))
		for _, region := range p.ROIs {
			out = append(out, subjectLine(p, region))
		}
	}
	return out
}

// subjectLine averages a subject's voxels over a region; without columns over all.
func subjectLine(p *finished.Subject, region finished.ROI) tableLine {
	columns := region.Columns
	if region.Name == roikeys.All {
		columns = make([]int, p.Voxels)
		for c := range columns {
			columns[c] = c
		}
	}
	constant := 0
	for _, c := range columns {
		if p.Base[c] != p.Base[c] {
			constant++
		}
	}
	l := tableLine{Subject: p.Name, Subjects: 1, ROI: region.Name, Voxels: len(columns), Constant: &constant,
		Base: mean(p.Base, columns),
		Best: mean(p.Best, columns), Tuned: mean(p.Tuned, columns), Delta: mean(p.Delta, columns),
		Ceiling: mean(p.Ceiling, columns)}
	if l.Ceiling != nil && *l.Ceiling > 0 {
		l.Share, l.TunedShare = percentOf(l.Base, *l.Ceiling), percentOf(l.Tuned, *l.Ceiling)
	}
	return l
}

// mean averages the numbers of some columns; nil if there is none.
func mean(x []float32, columns []int) *float64 {
	sum, n := 0., 0.
	for _, c := range columns {
		if x != nil && x[c] == x[c] {
			sum, n = sum+float64(x[c]), n+1
		}
	}
	if n == 0 {
		return nil
	}
	sum /= n
	return &sum
}

func percentOf(r *float64, ceiling float64) *float64 {
	if r == nil {
		return nil
	}
	share := 100 * *r / ceiling
	return &share
}

// table is rois.json.
type table struct {
	Schema  int         `json:"schema"`
	Run     string      `json:"run"`
	Rows    int         `json:"rows"` // test rows of the subject with most
	Regions []tableLine `json:"rois"`
}

// csv writes the lines, a number that is not known as an empty field.
func (t table) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write([]string{"subject", "subjects", "roi", "voxels", "constant", "base_r", "base_best_layer_r", "tuned_r",
		"delta",
		// Error tells
		"delta_ci95_low", "delta_ci95_high", "p", "q", "ceiling", "base_percent_of_ceiling",
		"tuned_percent_of_ceiling"})
	for _, l := range t.Regions {
		fields := []string{l.Subject, strconv.Itoa(l.Subjects), l.ROI, "", ""}
		if l.Voxels > 0 {
			fields[3] = strconv.Itoa(l.Voxels)
		}
		if l.Constant != nil {
			fields[4] = strconv.Itoa(*l.Constant)
		}
		for _, v := range []*float64{l.Base, l.Best, l.Tuned, l.Delta, l.DeltaLow, l.DeltaHigh, l.P, l.Q, l.Ceiling,
			l.Share, l.TunedShare} {
			text := ""
			if v != nil {
				text = strconv.FormatFloat(*v, 'g', -1, 64)
			}
			fields = append(fields, text)
		}
		_ = c.Write(fields)
	}
	c.Flush()
	return c.Error()
}
