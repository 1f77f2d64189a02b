package imports

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Start begins to describe a source, which is a folder.
func Start(kind, source string) (*Found, error) {
	abs, err := folderAt(source)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(abs); err != nil {
		return nil, inputfile.Error(op, source, err)
	} else if !info.IsDir() {
		return nil, fault.New(fault.BadData, op, quote.OneLine(source), "is a file, want a folder").
			WithHint("name the folder that it is in")
	}
	return &Found{Schema: 1, Kind: kind, Source: abs, Name: nameOf(filepath.Base(abs)), RowTime: .5, Stories: []Story{},
		Subjects: []Subject{}, Guessed: []string{}, LeftOut: []LeftOut{}, Notes: []string{}, Missing: []File{}}, nil
}

// Note adds a note.
func (f *Found) Note(text string, args ...any) { f.Notes = append(f.Notes, fmt.Sprintf(text, args...)) }

// Leave notes a file that is left out, with the reason.
func (f *Found) Leave(file, why string, args ...any) {
	f.LeftOut = append(f.LeftOut, LeftOut{relative(f.Source, file), fmt.Sprintf(why, args...)})
}

// Guess notes what was guessed.
func (f *Found) Guess(text string, args ...any) {
	f.Guessed = append(f.Guessed, fmt.Sprintf(text, args...))
}

// Fail is the error of a file of the source that is wrong.
func (f *Found) Fail(file, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, op, quote.OneLine(relative(f.Source, file)), why, args...)
}

// Select returns the names that fit a pattern, as [path.Match]; all without patterns. A pattern that none fits is an
// error. What is the kind of thing that the names are of: "subject".
func (f *Found) Select(what string, names, patterns []string) ([]string, error) {
	if len(patterns) == 0 {
		return names, nil
	}
	var out []string
	for _, p := range patterns {
		n := len(out)
		for _, name := range names {
			ok, err := path.Match(p, name)
			if err != nil {
				return nil, fault.New(fault.Usage, op, p, "is no pattern of a %s", what)
			}
			if ok && !slices.Contains(out, name) {
				out = append(out, name)
			} else if ok {
				n = -1
			}
		}
		if len(out) == n {
			return nil, fault.New(fault.Missing, op, quote.OneLine(f.Source), "there is no %s %s", what,
				quote.OneLine(p)).
				WithHint("there are %s", listed(names))
		}
	}
	slices.Sort(out)
	return out, nil
}

// listed names the first of many.
func listed(names []string) string {
	const most = 20
	text := ""
	for i, name := range names {
		switch {
		case i == most:
			return text + fmt.Sprintf(" and %d more", len(names)-most)
		case i > 0:
			text += ", "
		}
		text += quote.OneLine(name)
	}
	return text
}
