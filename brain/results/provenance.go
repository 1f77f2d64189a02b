package results

// Provenance is what a run was made with and of. It is in manifest.json, and in summary.json of a run that was
// evaluated; with config.yaml it is enough to repeat the run.
type Provenance struct {
	Version  string `json:"version"`          // of bwlm
	Commit   string `json:"commit,omitempty"` // "" if the build did not record it
	Dirty    bool   `json:"dirty"`            // the program was built from a tree with changes
	Go       string `json:"go"`
	Libtorch string `json:"libtorch"`
	Platform string `json:"platform"`
	CPU      string `json:"cpu"`     // model of the processor
	Threads  int    `json:"threads"` // of each closure; the last bits of results depend on it
	Device   string `json:"device"`

	// Base is the untuned speech model. What its folder does not tell is empty.
	Base struct {
		ID       string `json:"id,omitempty"`       // on the hub, such as microsoft/wavlm-base-plus
		Revision string `json:"revision,omitempty"` // commit on the hub
		SHA256   string `json:"sha256"`             // of all that its outputs follow from
		Licence  string `json:"licence,omitempty"`  // that its card names
	} `json:"base"`

	// Data is the data set.
	Data struct {
		Name    string `json:"name"`
		Licence string `json:"licence,omitempty"`
		SHA256  string `json:"sha256"` // of the hashes of all files that were read, in the order of the manifest
		Files   int    `json:"files"`
	} `json:"data"`

	Folds string `json:"folds"` // eval.folds
	Seeds []Seed `json:"seeds"`
}

// Seed is a seed and what is drawn with it.
type Seed struct {
	Seed uint64 `json:"seed"`
	Use  string `json:"use"`
}
