package bids

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// stimuli are the files below some folders that may be recordings or tables of words, by their names in small letters.
type stimuli struct {
	folders []string
	byName  map[string][]string
}

// findStimuli lists the recordings and tables of words below the source and other folders.
func (f *finder) findStimuli(ctx context.Context) (*stimuli, error) {
	s := &stimuli{folders: []string{filepath.Join(f.Source, "stimuli"), f.Source}, byName: map[string][]string{}}
	for _, text := range f.o.Audio {
		if !strings.Contains(text, "=") {
			s.folders = append(s.folders, text)
		}
	}
	return s, f.EachFile(ctx, s.folders[1:], func(path string) {
		name := strings.ToLower(filepath.Base(path))
		if imports.IsAudio(name) || slices.Contains(wordExts, filepath.Ext(name)) ||
			strings.HasSuffix(name, timedWords) {
			s.byName[name] = append(s.byName[name], path)
		}
	})
}

// wordExts are the extensions of tables of words, the first that is found holds.
var wordExts = []string{".textgrid", ".tsv", ".csv"}

// exists reports whether a path is a file, with content or as a link without it.
func exists(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && !info.IsDir()
}

// audio finds the file that events call name; "" if there is none.
func (s *stimuli) audio(name string) (string, error) {
	if filepath.IsAbs(name) || exists(name) && filepath.Base(name) != name {
		abs, err := filepath.Abs(name)
		if err != nil || !exists(abs) {
			return "", err
		}
		return abs, nil
	}
	inside := filepath.FromSlash(strings.ReplaceAll(name, `\`, "/"))
	if filepath.IsLocal(inside) {
		for _, folder := range s.folders {
			if path := filepath.Join(folder, inside); exists(path) {
				return filepath.Abs(path)
			}
		}
	}
	return s.only(filepath.Base(inside))
}

// only returns the file of a name; several are an error.
func (s *stimuli) only(name string) (string, error) {
	found := s.byName[strings.ToLower(name)]
	if len(found) > 1 {
		return "", fault.New(fault.BadData, op, quote.OneLine(found[0]), "there are %d files of this name, %s another",
			len(found), quote.OneLine(found[1])).WithHint("name the recording of the task")
	}
	if len(found) == 0 {
		return "", nil
	}
	return filepath.Abs(found[0])
}

// section finds the recording of a section of a book: section-1.wav, task-lppFR_section_1.wav and so on.
func (s *stimuli) section(task string, number string) (string, error) {
	pattern := regexp.MustCompile(`(?i)(^|[^a-z])section[-_ ]?0*` + number + `\.(wav|flac|mp3)$`)
	var all, ours []string
	for name, paths := range s.byName {
		if !pattern.MatchString(name) {
			continue
		}
		for _, path := range paths {
			all = append(all, path)
			if language := strings.TrimPrefix(task, "lpp"); strings.Contains(path, task) ||
				slices.Contains(strings.Split(filepath.ToSlash(path), "/"), language) {
				ours = append(ours, path)
			}
		}
	}
	if len(ours) > 0 {
		all = ours
	}
	if slices.Sort(all); len(all) > 1 {
		return "", fault.New(fault.BadData, op, quote.OneLine(all[0]),
			"there are %d recordings of section %s, %s another",
			len(all), number, quote.OneLine(all[1])).WithHint("give a folder with those of one language")
	}
	if len(all) == 0 {
		return "", nil
	}
	return filepath.Abs(all[0])
}

// words finds the table of words of a story: by its name or that of its recording, or what Gentle writes in a folder of
// this name.
func (s *stimuli) words(scan bidsdata.Scan, audio string) string {
	stem := strings.TrimSuffix(filepath.Base(audio), filepath.Ext(audio))
	for _, name := range []string{scan.Story, stem, strings.TrimSuffix(stem, "_audio")} {
		for _, ext := range wordExts {
			found := s.byName[strings.ToLower(name)+ext]
			if len(found) == 1 {
				return found[0]
			}
		}
		for _, path := range s.byName["align.csv"] {
			if strings.EqualFold(filepath.Base(filepath.Dir(path)), name) {
				return path
			}
		}
	}
	return ""
}
