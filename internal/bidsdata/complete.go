package bidsdata

import (
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// mostNamed is how many files an error names.
const mostNamed = 8

// Missing lists the files of the responses that the options select whose content is not there.
func (t *Tree) Missing(o Options) (files []string, err error) {
	found, err := t.responses(o)
	if err != nil {
		return nil, err
	}
	missing, _, err := t.missing(found)
	for i := range missing {
		missing[i] = t.path(missing[i])
	}
	return missing, err
}

// missing returns the files of responses without content, and the number of all.
func (t *Tree) missing(found []response) (missing []string, files int, err error) {
	for _, r := range found {
		names := []Name{r.Name}
		if r.also != nil {
			names = append(names, *r.also)
		}
		for _, n := range names {
			files++
			switch err := inputfile.Check(reading, t.path(n.Path)); {
			case err == nil:
			case fault.KindOf(err) == fault.Missing:
				missing = append(missing, n.Path)
			default:
				return nil, 0, err
			}
		}
	}
	return missing, files, nil
}

// complete refuses responses without content, all in one error.
func (t *Tree) complete(found []response) error {
	missing, files, err := t.missing(found)
	if err != nil {
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	named := missing[:min(len(missing), mostNamed)]
	words := make([]string, len(named))
	for i, file := range named {
		words[i] = quote.OneLine(filepath.Join(t.Root, filepath.FromSlash(file)))
	}
	text := strings.Join(words, " ")
	if len(missing) > len(named) {
		text += " …"
	}
	return fault.New(fault.Missing, reading, quote.OneLine(t.Root), "%d of %d files of responses have no content",
		len(missing), files).WithHint("run `datalad get -d %s %s`", quote.OneLine(t.Root), text)
}
