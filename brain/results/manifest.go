package results

// Manifest lists the inputs of a run: enough to repeat it and to detect changed inputs.
type Manifest struct {
	Schema   int               `json:"schema"`
	Versions map[string]string `json:"versions"`
	Platform string            `json:"platform"`
	Threads  int               `json:"threads"`
	Device   string            `json:"device"`
	Base     string            `json:"base_sha256,omitempty"` // identity of the untuned model
	Seed     uint64            `json:"seed"`
	Loss     string            `json:"loss"`
	Delays   []int             `json:"delays_trs"`
	Splits   []string          `json:"splits"`          // the rows of each split with their stimulus windows
	Leaks    []string          `json:"leaks,omitempty"` // that data.allow_leak let pass

	AudioCompared int      `json:"audio_compared"`         // stories of different splits whose audio was compared
	SharedAudio   []string `json:"shared_audio,omitempty"` // what the audit let them share

	Subjects []ManifestSubject `json:"subjects"`
	Inputs   []ManifestInput   `json:"inputs"`
	Notes    []string          `json:"notes"`

	Provenance *Provenance `json:"provenance,omitempty"` // nil in runs of earlier versions
}

// ManifestSubject is one subject of a run.
type ManifestSubject struct {
	Name   string `json:"name"`
	Voxels int    `json:"voxels"`
	Tuned  int    `json:"tuned_voxels"`
}

// ManifestInput is one file that a run read.
type ManifestInput struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}
