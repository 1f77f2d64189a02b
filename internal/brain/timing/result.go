package timing

import (
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// Verdict rates a finding.
type Verdict string

// The verdicts, worst last.
const (
	OK    Verdict = "ok"
	Check Verdict = "check" // possibly correct; to be looked at
	Wrong Verdict = "wrong" // almost certainly an error in the data set
)

// Report is the result of [Run].
type Report struct {
	Schema  int     `json:"schema"`
	Dataset string  `json:"dataset"`
	Verdict Verdict `json:"verdict"` // the worst of the findings
	Estimate
	TR         float64            `json:"tr_seconds"`
	RowTime    float64            `json:"row_time"`
	HRFPeak    float64            `json:"hrf_peak_seconds"`
	Features   []string           `json:"features"`
	Lags       []float64          `json:"lags_seconds"`
	R          []float64          `json:"r"` // at each lag, mean over subjects
	PerSubject map[string]Subject `json:"per_subject"`
	Stories    []Story            `json:"stories"`
	Findings   []Finding          `json:"findings"`
}

// Err returns an error of kind BadData if a finding is wrong.
func (r *Report) Err() error {
	wrong := 0
	for _, f := range r.Findings {
		if f.Verdict == Wrong {
			wrong++
		}
	}
	if wrong == 0 {
		return nil
	}
	return fault.New(fault.BadData, "check timing", r.Dataset, "%d of %d findings are wrong", wrong, len(r.Findings))
}

// Estimate is an estimate of the lag.
type Estimate struct {
	// positive: the responses are later than the audio clock; nil: no estimate
	Lag   *float64        `json:"lag_seconds"`
	CI95  *stats.Interval `json:"ci95"`   // nil with fewer than 20 blocks of rows
	PeakR *float64        `json:"peak_r"` // r at the peak, mean over voxels
	// the peak is more than 3 standard errors above 0 and not at an end of the scan
	Clear bool `json:"clear"`
}

// Subject is the lag of one subject.
type Subject struct {
	Estimate
	Voxels  int                 `json:"voxels"` // number that was used
	R       []float64           `json:"r"`
	Stories map[string]Estimate `json:"stories"`
}

// Story compares the length of the audio of a story with its rows.
type Story struct {
	Story     string  `json:"story"`
	Seconds   float64 `json:"audio_seconds"`
	TRs       int     `json:"audio_trs"`      // number of TRs that begin within the audio
	Rows      int     `json:"rows"`           // of the subject with most
	Fewest    int     `json:"rows_fewest"`    // of the subject with fewest
	Uncovered int     `json:"uncovered_trs"`  // rows whose time lies outside the audio
	Silent    float64 `json:"silent_seconds"` // of audio after the last row
}

// Finding is the result of one check.
type Finding struct {
	About   string  `json:"about"` // data, lengths, lag, row time, TR, stories
	Verdict Verdict `json:"verdict"`
	Where   string  `json:"where,omitempty"`
	Text    string  `json:"text"`
	Do      string  `json:"do,omitempty"`
}

// worst returns the worst verdict of the findings.
func worst(findings []Finding) Verdict {
	out := OK
	for _, f := range findings {
		if f.Verdict == Wrong || f.Verdict == Check && out == OK {
			out = f.Verdict
		}
	}
	return out
}
