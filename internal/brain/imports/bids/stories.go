package bids

import (
	"context"
	"math"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// usualSeconds of rows before or after a recording need no word in the data set.
const usualSeconds = 20

// lengthFits measures a recording, once, and compares it with what is said of it: an event cannot last longer, and runs
// of Le Petit Prince have a known number of rows after its end.
func (f *finder) lengthFits(ctx context.Context, h *heard, sections bool) error {
	seconds, known := f.length[h.audio]
	if !known {
		var err error
		if seconds, err = f.Length(ctx, h.audio); err != nil {
			return err
		}
		f.length[h.audio] = seconds
	}
	if seconds == 0 { // its content is not there
		return nil
	}
	s := h.scans[0]
	if s.End > seconds+1 {
		return fault.New(fault.BadData, op, quote.OneLine(h.audio),
			"the recording lasts %.2f s, but events say that the story ends at %.2f s of it (%s)", seconds, s.End,
			s.How).
			WithHint("check that it is the recording of story %s", h.story)
	}
	if extra := book[s.Task]; sections {
		if want := math.Ceil(seconds/f.TR) + float64(extra); math.Abs(float64(s.Rows)-want) > 1 {
			return fault.New(fault.BadData, op, quote.OneLine(s.Files[0]),
				"run %s has %d rows; %s, %.2f s, and %d rows after its end are %.0f", s.Run, s.Rows,
				filepath.Base(h.audio), seconds, extra, want).
				WithHint("check which section the run is")
		}
	}
	return nil
}

// stories makes a story of each that any subject heard. Its clock is that of most subjects.
func (f *finder) stories(ctx context.Context, all []*heard, sections bool) error {
	byName := map[string][]*heard{}
	for _, h := range all {
		if byName[h.story] == nil {
			f.Stories = append(f.Stories, imports.Story{Name: h.story})
		}
		byName[h.story] = append(byName[h.story], h)
	}
	for i := range f.Stories {
		s, of := &f.Stories[i], byName[f.Stories[i].Name]
		clocks := map[int64]int{}
		for _, h := range of {
			if h.audio != of[0].audio {
				return fault.New(fault.BadData, op, quote.OneLine(h.audio),
					"it is the recording of story %s, as is %s",
					s.Name, quote.OneLine(of[0].audio)).WithHint("select one task")
			}
			clocks[milliseconds(h.scans[0].First)]++
		}
		s.Audio, s.First = of[0].audio, float64(most(clocks))/1000
		first := of[0]
		for _, h := range of {
			if milliseconds(h.scans[0].First) == most(clocks) {
				first, s.First = h, h.scans[0].First
				break
			}
		}
		s.SameAs, s.SameRow = first.scans[0].SameAs, first.scans[0].SameAsRow
		if s.SameAs != "" && byName[s.SameAs] == nil { // it was not selected
			s.SameAs, s.SameRow = "", 0
		}
		s.Span = f.span(first)
		f.wordsOf(s, first)
	}
	if sections {
		f.Note("runs are sections of the book by their rank, and row 0 begins with the recording, as the README " +
			"says of the preprocessed data: let the timing of sound and responses be checked")
		if all[0].scans[0].Task == "lppCN" {
			f.Note("of Chinese, the README says that preprocessed data have the length of the recordings, and that " +
				"the first 4 volumes, 8 s, were left out, with which row 0 would begin 8 s into the recording")
		}
	}
	return context.Cause(ctx)
}

func milliseconds(seconds float64) int64 { return int64(math.Round(seconds * 1000)) }

// span says where the rows of a story begin and end, if that is not by and large where its recording does.
func (f *finder) span(h *heard) *imports.Span {
	s := h.scans[0]
	last := s.First + float64(h.rows)*f.TR
	if math.Abs(last-f.length[h.audio]) <= max(f.TR, .03*float64(h.rows)*f.TR, usualSeconds) {
		return nil
	}
	return &imports.Span{First: s.First, Last: last}
}
