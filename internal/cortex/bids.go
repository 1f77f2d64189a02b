package cortex

import (
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Derivative names a file of BIDS derivatives (BIDS 1.10, "Derivatives"): a statistical map of one
// subject, e.g. sub-01_task-story_hemi-L_space-fsaverage5_stat-r_desc-tuned_statmap.func.gii. Empty
// entities are omitted. A map without a subject is a group map, in the folder group, as in nilearn.
type Derivative struct {
	Subject    string     // with or without sub-; "" for a group
	Task       string     // e.g. the story
	Hemisphere Hemisphere // of a surface
	Space      string     // e.g. fsaverage5, MNI152NLin2009cAsym
	Stat       string     // the statistic, e.g. r
	Desc       string     // what distinguishes this map from others, e.g. tuned
	Ext        string     // .func.gii, .nii.gz, .json
}

// Name returns the file's name. Characters of entities other than letters and digits are omitted,
// since BIDS would read them as the end of a value. A subject must have a letter or digit.
func (d Derivative) Name() (string, error) {
	hemisphere := ""
	if d.Hemisphere != Both {
		hemisphere = d.Hemisphere.String()
	}
	var b strings.Builder
	for _, e := range []struct{ key, value string }{
		{"sub", strings.TrimPrefix(d.Subject, "sub-")}, {"task", d.Task}, {"hemi", hemisphere}, {"space", d.Space},
		{"stat", d.Stat}, {"desc", d.Desc},
	} {
		if value := alphanumeric(e.value); value != "" {
			b.WriteString(e.key + "-" + value + "_")
		} else if e.key == "sub" && d.Subject != "" {
			return "", fault.New(fault.Usage, "name file", d.Subject,
				"a subject's name needs letters or digits in BIDS")
		}
	}
	return b.String() + "statmap" + d.Ext, nil
}

// Folder returns the folder of the subject's maps below the derivatives' folder: sub-01/func, or
// group.
func (d Derivative) Folder() string {
	if d.Subject == "" {
		return "group"
	}
	return "sub-" + alphanumeric(strings.TrimPrefix(d.Subject, "sub-")) + "/func"
}

func alphanumeric(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
}

// Description is dataset_description.json of BIDS derivatives.
type Description struct {
	Name        string      `json:"Name"`
	BIDSVersion string      `json:"BIDSVersion"`
	DatasetType string      `json:"DatasetType"`
	License     string      `json:"License,omitempty"`
	GeneratedBy []Generator `json:"GeneratedBy"`
}

// Generator is a program that made derivatives.
type Generator struct {
	Name        string `json:"Name"`
	Version     string `json:"Version,omitempty"`
	Description string `json:"Description,omitempty"`
}

// NewDescription describes derivatives made by this version of bwlm.
func NewDescription(name, version string) Description {
	return Description{Name: name, BIDSVersion: "1.10.0", DatasetType: "derivative",
		GeneratedBy: []Generator{{Name: "bwlm", Version: version,
			Description: "encoding scores of a speech model, per voxel"}}}
}

// Write writes the description as indented JSON.
func (d Description) Write(w io.Writer) error { return jsonfile.Encode(w, d) }
