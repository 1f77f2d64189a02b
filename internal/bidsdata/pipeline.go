package bidsdata

import (
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// description is dataset_description.json, of BIDS 1.4 and later or of the drafts before.
type description struct {
	GeneratedBy         []Pipeline
	PipelineDescription Pipeline
}

// pipeline returns the program that made a file, by the description in the nearest folder above it that names one.
func (t *Tree) pipeline(n Name) (Pipeline, error) {
	above := folders(n.Path)
	for _, folder := range slices.Backward(above) {
		file := path.Join(folder, "dataset_description.json")
		if !t.has(file) {
			continue
		}
		var d description
		if err := jsonfile.Read("read description", t.path(file), &d); err != nil {
			return Pipeline{}, err
		}
		switch {
		case len(d.GeneratedBy) > 0:
			return d.GeneratedBy[0], nil
		case d.PipelineDescription.Name != "":
			return d.PipelineDescription, nil
		}
	}
	return Pipeline{}, nil
}

// maxLog bounds a log that is read.
const maxLog = 1 << 24

// ignoredSlices reports whether fMRIPrep was told not to correct slices, by the settings that it leaves in its logs.
func (t *Tree) ignoredSlices(n Name) (bool, error) {
	folder := path.Dir(path.Dir(n.Path)) // of the subject or session
	if n.Get("ses") != "" {
		folder = path.Dir(folder)
	}
	for _, log := range t.logs {
		if !strings.HasPrefix(log, folder+"/") {
			continue
		}
		text, err := inputfile.Read("read log", t.path(log), maxLog)
		if err != nil {
			return false, err
		}
		for line := range strings.Lines(string(text)) {
			key, value, ok := strings.Cut(line, "=")
			if ok && strings.TrimSpace(key) == "ignore" && strings.Contains(value, `"slicetiming"`) {
				return true, nil
			}
		}
	}
	return false, nil
}
