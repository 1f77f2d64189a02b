package textgrid

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

const reading = "read TextGrid"

// maxBytes bounds the size of a file. An hour of speech has about a megabyte.
const maxBytes = 64 << 20

// Is reports whether data begin as a TextGrid does, in whatever form and encoding.
func Is(data []byte) bool {
	head := bytes.ReplaceAll(data[:min(len(data), 512)], []byte{0}, nil)
	return bytes.Contains(head, []byte("ooTextFile")) || bytes.Contains(head, []byte("chronological TextGrid"))
}

// Read reads the TextGrid at path.
func Read(path string) (Grid, error) {
	data, err := inputfile.Read(reading, path, maxBytes)
	if err != nil {
		return Grid{}, err
	}
	return Parse(data, path)
}

// Parse reads a TextGrid, which errors call name. A file of another kind is refused by its name.
func Parse(data []byte, name string) (Grid, error) {
	if err := sniff.Other(reading, name, sniff.Bytes(data), "a TextGrid", sniff.UTF16); err != nil {
		return Grid{}, err
	}
	text, err := decode(data)
	var g Grid
	if err == nil {
		g, err = parse(&scanner{text: text})
	}
	if err != nil {
		return Grid{}, fault.New(fault.BadData, reading, quote.OneLine(name), "%v", err).
			WithHint("open it in Praat and save it as a text file in UTF-8")
	}
	return g, nil
}

const (
	ooTextFile    = "ooTextFile"
	chronological = "Praat chronological TextGrid text file"
)

var errNone = errors.New("is not a TextGrid: it begins neither as a text file of Praat nor as a chronological one")

// parse reads any of the forms.
func parse(s *scanner) (Grid, error) {
	head, err := s.next()
	if err != nil || head.kind != label {
		return Grid{}, errNone
	}
	switch head.text {
	case chronological:
		return parseChronological(s)
	case ooTextFile, ooTextFile + " short":
	default:
		return Grid{}, errNone
	}
	class, err := s.want(label, "the class of the object")
	if err != nil {
		return Grid{}, err
	}
	if class.text != "TextGrid" {
		return Grid{}, fmt.Errorf("is a %s, want a TextGrid", quote.OneLine(quote.Short(class.text)))
	}
	return parseByTiers(s)
}

// parseByTiers reads the long and the short form, one tier after the other.
func parseByTiers(s *scanner) (Grid, error) {
	var g Grid
	var err error
	if g.Start, g.End, err = s.times(); err != nil {
		return Grid{}, err
	}
	exists, err := s.want(flag, "whether there are tiers")
	if err != nil || exists.text != "exists" {
		return g, err
	}
	n, err := s.count("the number of tiers")
	if err != nil {
		return Grid{}, err
	}
	for range n {
		t, err := s.tier()
		if err != nil {
			return Grid{}, err
		}
		entries, err := s.count("the number of intervals")
		if err != nil {
			return Grid{}, err
		}
		for range entries {
			if err := s.interval(&t); err != nil {
				return Grid{}, err
			}
		}
		g.Tiers = append(g.Tiers, t)
	}
	return g, nil
}

// parseChronological reads the form in which all tiers come first, and then the labels with the number of their tier.
func parseChronological(s *scanner) (Grid, error) {
	var g Grid
	var err error
	if g.Start, g.End, err = s.times(); err != nil {
		return Grid{}, err
	}
	n, err := s.count("the number of tiers")
	if err != nil {
		return Grid{}, err
	}
	for range n {
		t, err := s.tier()
		if err != nil {
			return Grid{}, err
		}
		g.Tiers = append(g.Tiers, t)
	}
	for {
		before := s.at
		t, err := s.next()
		if err != nil || t.kind == end {
			return g, err
		}
		s.at = before
		i, err := s.count("the number of a tier")
		if err != nil {
			return Grid{}, err
		}
		if i < 1 || i > len(g.Tiers) {
			return Grid{}, fmt.Errorf("line %d: there is no tier %d, the file has %d", s.line(), i, len(g.Tiers))
		}
		if err := s.interval(&g.Tiers[i-1]); err != nil {
			return Grid{}, err
		}
	}
}

// times reads a start and an end.
func (s *scanner) times() (from, to float64, err error) {
	a, err := s.want(number, "a time")
	if err != nil {
		return 0, 0, err
	}
	b, err := s.want(number, "a time")
	if err != nil {
		return 0, 0, err
	}
	if b.number < a.number {
		return 0, 0, fmt.Errorf("line %d: the time ends at %s, before it begins at %s", s.line(), b.text, a.text)
	}
	return a.number, b.number, nil
}

// maxCount bounds declared numbers of tiers and intervals, which are read one by one.
const maxCount = 1 << 31

// count reads a whole number.
func (s *scanner) count(what string) (int, error) {
	t, err := s.want(number, what)
	if err != nil {
		return 0, err
	}
	if t.number < 0 || t.number > maxCount || t.number != float64(int(t.number)) {
		return 0, fmt.Errorf("line %d: %s is %s, want a whole number", s.line(), what, quote.Short(t.text))
	}
	return int(t.number), nil
}

// tier reads the class, the name and the times of a tier.
func (s *scanner) tier() (Tier, error) {
	class, err := s.want(label, "the class of a tier")
	if err != nil {
		return Tier{}, err
	}
	t := Tier{Points: class.text == "TextTier"}
	if !t.Points && class.text != "IntervalTier" {
		return Tier{}, fmt.Errorf("line %d: a tier is a %s, want an IntervalTier or a TextTier", s.line(),
			quote.OneLine(quote.Short(class.text)))
	}
	name, err := s.want(label, "the name of a tier")
	if err != nil {
		return Tier{}, err
	}
	t.Name = name.text
	_, _, err = s.times()
	return t, err
}

// interval reads the times and the label of an interval or a point.
func (s *scanner) interval(t *Tier) error {
	var i Interval
	if t.Points {
		at, err := s.want(number, "the time of a point")
		if err != nil {
			return err
		}
		i.Start, i.End = at.number, at.number
	} else {
		var err error
		if i.Start, i.End, err = s.times(); err != nil {
			return err
		}
	}
	text, err := s.want(label, "a label")
	if err != nil {
		return err
	}
	i.Label = text.text
	t.Intervals = append(t.Intervals, i)
	return nil
}
