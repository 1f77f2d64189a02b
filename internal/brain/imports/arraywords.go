package imports

import (
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/textgrid"
)

// words gives a story the table or the TextGrid of its stem, if it has words.
func (a *arrays) words() error {
	for _, path := range a.tables {
		file, name := relative(a.found.Source, path), nameOf(stemOf(path))
		i := slices.IndexFunc(a.found.Stories, func(s Story) bool { return s.Name == name })
		switch {
		case i < 0 && slices.Contains(a.names, name): // it is not wanted
			continue
		case i < 0:
			if file != path {
				a.found.Leave(file, "a table that has the name of no story")
			}
			continue
		case a.found.Stories[i].Words != "":
			a.found.Leave(file, "story %s has a table of words already", name)
			continue
		}
		s := &a.found.Stories[i]
		if _, there, err := a.found.File(path); err != nil || !there {
			if err != nil {
				return err
			}
			continue
		}
		if _, err := dataset.ReadWords(path); err != nil {
			a.found.Leave(file, "not a table of words: %s", reasonOf(err))
			continue
		}
		if s.Words = path; strings.HasSuffix(strings.ToLower(path), ".textgrid") {
			if grid, err := textgrid.Read(path); err == nil {
				if _, has := grid.Phones(); has {
					s.Phones = path
				}
			}
		}
		a.found.Guess("%s has the words of story %s, by its name", file, name)
	}
	return nil
}
