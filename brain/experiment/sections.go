package experiment

import "slices"

// sections orders the file and heads each section of the template.
var sections = []struct{ name, doc string }{
	{"model", "The speech model, and how its frames become one vector of features per fMRI volume (TR)."},
	{"adapter", "The low-rank adapters that are tuned (train.mode: lora)."},
	{"data", "Subjects, stories, splits and the preparation of responses."},
	{"readout", "From features to voxels: FIR delays, then a linear map."},
	{"train", "Tuning."},
	{"eval", "The ridge regression that scores base and tuned features."},
	{"", ""},
}

// sectionNames lists the sections, without the top level.
func sectionNames() []string {
	var out []string
	for _, s := range sections {
		if s.name != "" {
			out = append(out, s.name)
		}
	}
	return out
}

func isSection(name string) bool { return slices.Contains(sectionNames(), name) }
