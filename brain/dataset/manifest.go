package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// Digest identifies the content of an input file of a run.
type Digest struct {
	Path   string
	Bytes  int64
	SHA256 string // in hexadecimal digits
}

// Inputs hashes the files behind the responses of the given subjects to the given stories:
// dataset.yaml, audio, words, matrices and regions, each once, in the order of the data set. Values
// in memory have no file and are not listed. The sequence ends after the first error.
func (d *Dataset) Inputs(subjects, stories []string) iter.Seq2[Digest, error] {
	return func(yield func(Digest, error) bool) {
		for _, path := range d.paths(subjects, stories) {
			digest, err := hash(path)
			if !yield(digest, err) || err != nil {
				return
			}
		}
	}
}

// paths returns the files that [Dataset.Inputs] hashes.
func (d *Dataset) paths(subjects, stories []string) []string {
	files := slices.Clone(d.files)
	add := func(path string) {
		if path != "" && !slices.Contains(files, path) {
			files = append(files, path)
		}
	}
	for _, e := range d.spec.Events {
		add(e.Audio.Path)
	}
	for _, story := range d.spec.Stories {
		if slices.Contains(stories, story.Name) {
			add(story.Audio.Path)
			add(story.Words.Path)
			add(story.Phones.Path)
		}
	}
	for _, subject := range slices.Concat(d.spec.Subjects, d.spec.Derived) {
		for _, r := range slices.Concat(subject.Responses, subject.Motion) {
			if slices.Contains(subjects, subject.Name) && slices.Contains(stories, r.Story) {
				add(r.path())
			}
		}
		if slices.Contains(subjects, subject.Name) {
			add(subject.Empty.Path)
		}
	}
	for _, f := range d.spec.Features {
		for _, r := range f.Stories {
			if slices.Contains(stories, r.Story) {
				add(r.path())
			}
		}
	}
	for _, roi := range d.spec.ROIs {
		add(roi.Region.Path)
		for _, r := range roi.BySubject {
			if slices.Contains(subjects, r.Subject) {
				add(r.Region.Path)
			}
		}
	}
	return files
}

func hash(path string) (Digest, error) {
	file, _, err := inputfile.Open("hash input", path)
	if err != nil {
		return Digest{}, err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return Digest{}, fault.Wrap(fault.IO, "hash input", path, err)
	}
	return Digest{Path: path, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
