package bids

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/textgrid"
	"github.com/brainwavlm/bwlm/internal/wordtable"
)

// SMN4Lang has STORY_word_time.mat for each story, on the clock of the scan: the recording begins after a blank of 8 s
// and an instruction of 2.65 s.
const (
	timedWords   = "_word_time.mat"
	timedSeconds = 10.65
)

// bookWords is the table of Le Petit Prince in a language, with the column section and times of each recording.
const bookWords = "lpp%s_word_information.csv"

// wordsOf finds the words of a story. A table that cannot be read is left out.
func (f *finder) wordsOf(s *imports.Story, h *heard) {
	path, how := f.stimuli.words(h.scans[0], h.audio), ""
	read := func() ([]wordtable.Word, error) { return nil, readable(path) }
	if path == "" {
		if path, read, how = f.ownWords(h); path == "" {
			return
		}
		s.ReadWords = read
	}
	words, err := read()
	if n := len(words); err == nil && n > 0 {
		if length := f.length[h.audio]; length > 0 && words[n-1].Offset > length+1 {
			err = fmt.Errorf("the last word ends at %.2f s of the recording, which has %.2f s", words[n-1].Offset,
				length)
		}
	}
	if err != nil {
		s.ReadWords = nil
		f.Leave(path, "words of story %s: %s", s.Name, err.Error())
		return
	}
	s.Words = path
	f.Guess("the words of story %s are in %s%s", s.Name, filepath.Base(path), how)
}

// ownWords finds the words of a story in the form that only its data set has, and how they are read.
func (f *finder) ownWords(h *heard) (path string, read func() ([]wordtable.Word, error), how string) {
	one := func(name string) string {
		if found := f.stimuli.byName[strings.ToLower(name)]; len(found) == 1 {
			return found[0]
		}
		return ""
	}
	scan := h.scans[0]
	if language, ok := strings.CutPrefix(scan.Task, "lpp"); ok {
		var section int
		if _, err := fmt.Sscanf(scan.Story, "section-%d", &section); err != nil {
			return "", nil, ""
		}
		path := one(fmt.Sprintf(bookWords, language))
		return path, func() ([]wordtable.Word, error) {
			return wordtable.ReadPart(path, "section", float64(section))
		}, fmt.Sprintf(", section %d", section)
	}
	path = one(scan.Story + timedWords)
	return path, func() ([]wordtable.Word, error) { return wordtable.ReadMAT(path, timedSeconds) },
		fmt.Sprintf(", less %g s", timedSeconds)
}

// readable returns why no words can be read from a file.
func readable(path string) error {
	if !strings.EqualFold(filepath.Ext(path), ".TextGrid") {
		_, _, err := wordtable.Read(path)
		return err
	}
	grid, err := textgrid.Read(path)
	if err != nil {
		return err
	}
	if _, ok := grid.Words(); !ok {
		return errors.New("it has no tier of words")
	}
	return nil
}
