package timing

import "github.com/brainwavlm/bwlm/brain/stats"

// Verdict is what a finding comes to.
type Verdict string

// The verdicts, worst last.
const (
	OK    Verdict = "ok"
	Check Verdict = "check" // may be right; a person should look
	Wrong Verdict = "wrong" // a mistake in the data set, as good as certain
)

// Report is what the doctor found, as bwlm check-timing --json prints it.
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
	R          []float64          `json:"r"` // at each lag, mean over people
	PerSubject map[string]Subject `json:"per_subject"`
	Stories    []Story            `json:"stories"`
	Findings   []Finding          `json:"findings"`
}

// Estimate is one lag.
type Estimate struct {
	Lag   *float64        `json:"lag_seconds"` // positive: the responses come later than the audio clock says; null: not to be had
	CI95  *stats.Interval `json:"ci95"`        // null under 20 blocks of rows
	PeakR *float64        `json:"peak_r"`      // mean over voxels of the correlation at the peak
	Clear bool            `json:"clear"`       // the peak is more than 3 standard errors above 0, and not at the end of the scan
}

// Person is the lag of one subject.
type Subject struct {
	Estimate
	Voxels  int                 `json:"voxels"` // that were looked at
	R       []float64           `json:"r"`
	Stories map[string]Estimate `json:"stories"`
}

// StoryReport compares the audio of a story with its rows.
type Story struct {
	Story     string  `json:"story"`
	Seconds   float64 `json:"audio_seconds"`
	TRs       int     `json:"audio_trs"`      // that begin within the audio
	Rows      int     `json:"rows"`           // of the subject with most
	Fewest    int     `json:"rows_fewest"`    // of the subject with fewest
	Uncovered int     `json:"uncovered_trs"`  // rows whose time lies outside the audio
	Silent    float64 `json:"silent_seconds"` // of audio after the last row
}

// Finding is one thing that was looked into.
type Finding struct {
	About   string  `json:"about"` // data, lengths, lag, row time, TR, stories
	Verdict Verdict `json:"verdict"`
	Where   string  `json:"where,omitempty"`
	Text    string  `json:"text"`
	Do      string  `json:"do,omitempty"`
}

// worst is the gravest verdict of all findings.
func worst(findings []Finding) Verdict {
	out := OK
	for _, f := range findings {
		if f.Verdict == Wrong || f.Verdict == Check && out == OK {
			out = f.Verdict
		}
	}
	return out
}
