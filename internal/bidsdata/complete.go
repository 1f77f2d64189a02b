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

// complete refuses responses without content, all in one error.
func (t *Tree) complete(found []response) error {
	var missing []string
	files := 0
	check := func(n Name) error {
		files++
		err := inputfile.Check(reading, t.path(n.Path))
		if err != nil && fault.KindOf(err) == fault.Missing {
			missing = append(missing, n.Path)
			return nil
		}
		return err
	}
	for _, r := range found {
		if err := check(r.Name); err != nil {
			return err
		}
		if r.also != nil {
			if err := check(*r.also); err != nil {
				return err
			}
		}
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
