package bidsdata

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Sidecar is what the JSON files of a time series say of its time. A field that none of them has is nil.
type Sidecar struct {
	RepetitionTime       *float64 // seconds
	StartTime            *float64 // seconds after the first slice of a volume at which its values count
	DelayTime            *float64 // seconds without acquisition at the end of a TR
	SliceTimingCorrected *bool
	SliceTiming          bool // there is a list of the times of slices

	// From is the file of each field, the one that overrides the others.
	From map[string]string
}

// sidecarFile is one JSON file.
type sidecarFile map[string]json.RawMessage

// sidecar reads the sidecars of files that follow from one another, as a derived file from its raw file. Those of
// later files override.
func (t *Tree) sidecar(files ...Name) (Sidecar, error) {
	s := Sidecar{From: map[string]string{}}
	seen := map[string]bool{}
	for _, n := range files {
		for _, folder := range folders(n.Path) {
			fit := t.applicable(folder, n)
			for _, file := range fit {
				if seen[file.Path] {
					continue
				}
				seen[file.Path] = true
				fields, err := t.fields(file)
				if err != nil {
					return s, err
				}
				if err := s.merge(fields, t.path(file.Path)); err != nil {
					return s, err
				}
			}
		}
	}
	return s, nil
}

// applicable are the JSON files of a folder that hold for a file, those with fewer entities first.
func (t *Tree) applicable(folder string, n Name) []Name {
	var out []Name
	for _, file := range t.byFolder[folder] {
		if file.Suffix == n.Suffix && file.within(n) {
			out = append(out, file)
		}
	}
	slices.SortStableFunc(out, func(a, b Name) int { return cmp.Compare(len(a.Entities), len(b.Entities)) })
	return out
}

// fields reads a JSON file once.
func (t *Tree) fields(n Name) (sidecarFile, error) {
	if fields, ok := t.sidecars[n.Path]; ok {
		return fields, nil
	}
	var fields sidecarFile
	if err := jsonfile.Read("read sidecar", t.path(n.Path), &fields); err != nil {
		return nil, err
	}
	t.sidecars[n.Path] = fields
	return fields, nil
}

// merge takes the fields of a file over those of the files before.
func (s *Sidecar) merge(fields sidecarFile, path string) error {
	for name, out := range map[string]**float64{"RepetitionTime": &s.RepetitionTime, "StartTime": &s.StartTime,
		"DelayTime": &s.DelayTime} {
		text, ok := fields[name]
		if !ok || string(text) == "null" {
			continue
		}
		v := new(float64)
		if err := json.Unmarshal(text, v); err != nil || math.IsInf(*v, 0) {
			return wrongField(path, name, text, "a number of seconds")
		}
		*out, s.From[name] = v, path
	}
	if text, ok := fields["SliceTimingCorrected"]; ok && string(text) != "null" {
		v := new(bool)
		if err := json.Unmarshal(text, v); err != nil {
			return wrongField(path, "SliceTimingCorrected", text, "true or false")
		}
		s.SliceTimingCorrected, s.From["SliceTimingCorrected"] = v, path
	}
	if text, ok := fields["SliceTiming"]; ok {
		s.SliceTiming, s.From["SliceTiming"] = len(text) > 2 && string(text) != "null", path
	}
	return nil
}

func wrongField(path, name string, text json.RawMessage, want string) error {
	return fault.New(fault.BadData, "read sidecar", quote.OneLine(path), "%s", fmt.Sprintf("%s is %s, want %s", name,
		quote.OneLine(quote.Short(string(text))), want))
}
