package imports

import (
	"fmt"
	"slices"
	"strings"
)

// together puts stories that share much audio into one split, that of them which is tested first: test, validation,
// training. It returns the splits as they are if none would be left to validate on or to train on.
func (s Splits) together(shared []SharedAudio) Splits {
	out := Splits{Train: slices.Clone(s.Train), Val: slices.Clone(s.Val), Test: slices.Clone(s.Test),
		Comment: slices.Clone(s.Comment)}
	lists := []*[]string{&out.Test, &out.Val, &out.Train}
	for {
		pair, a, b := out.apart(shared)
		if a == b {
			break
		}
		name := pair.Stories[1]
		if a > b {
			a, b, name = b, a, pair.Stories[0]
		}
		*lists[a] = append(*lists[a], name)
		*lists[b] = slices.DeleteFunc(*lists[b], func(entry string) bool { return storyOf(entry) == name })
	}
	if len(out.Val) == 0 || len(out.Train) == 0 {
		return s
	}
	return out
}

// apart returns two stories that share much audio and are in different splits, with the places of these among test,
// validation and training; equal places if there are none.
func (s *Splits) apart(shared []SharedAudio) (pair SharedAudio, a, b int) {
	in := func(name string) int {
		return slices.IndexFunc([][]string{s.Test, s.Val, s.Train}, func(split []string) bool {
			return slices.ContainsFunc(split, func(entry string) bool { return storyOf(entry) == name })
		})
	}
	for _, pair := range shared {
		if a, b := in(pair.Stories[0]), in(pair.Stories[1]); pair.Refused && a >= 0 && b >= 0 && a != b {
			return pair, a, b
		}
	}
	return SharedAudio{}, 0, 0
}

// warning says which stories of different splits share audio, "" if none do.
func (s *Splits) warning(shared []SharedAudio) string {
	pair, a, b := s.apart(shared)
	if a == b {
		return ""
	}
	return fmt.Sprintf("Stories %s and %s share %.0f s of audio and are in different splits, which a training refuses.",
		pair.Stories[0], pair.Stories[1], pair.Seconds)
}

// storyOf is the story of an entry of a split, which may be some of its rows.
func storyOf(entry string) string {
	name, _, _ := strings.Cut(entry, "[")
	return name
}
