package lebel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
)

// splits are those of the field, as far as the stories are there.
func (f *find) splits() {
	const test, second = "wheretheressmoke", "hangtime"
	val := "fromboyhoodtofatherhood"
	if !f.Heard(val) {
		val = "stagefright" // of subject UTS09, who did not hear the other
	}
	out := imports.Splits{Test: []string{test}, Comment: []string{
		"Test and validation as in the scaling-laws paper (Antonello et al. 2023), but for its second validation",
		"story, onapproachtopluto, which is not in this data set: " + second + " stands for it. Papers that leave",
		"out the first 40 rows of the test story score wheretheressmoke[40:" + strconv.Itoa(f.rows(test)) + "].",
	}}
	for _, story := range []string{val, second} {
		if f.Heard(story) {
			out.Val = append(out.Val, story)
		}
	}
	for _, s := range f.Stories {
		if s.Name != test && !slices.Contains(out.Val, s.Name) {
			out.Train = append(out.Train, s.Name)
		}
	}
	if f.Heard(test) && len(out.Val) > 0 && len(out.Train) > 0 {
		f.Splits = out
	}
}

// known are mistakes of old versions.
var known = []struct{ before, what, subject string }{
	{"1.0.7", "responses of UTS04 were corrupted", "UTS04"},
	{"2.0.1", "sessions of UTS03 were missing", "UTS03"},
	{"2.0.3", "sessions of UTS01 were missing", "UTS01"},
}

// remarks tells the version, and what was wrong in it.
func (f *find) remarks() {
	if f.Version == "" {
		f.Note("the source does not name its version (CHANGES); before 2.0.3 some subjects lacked sessions")
		return
	}
	f.Note("version %s of the data set", f.Version)
	for _, k := range known {
		if older(f.Version, k.before) &&
			slices.ContainsFunc(f.Subjects, func(s imports.Subject) bool { return s.Name == k.subject }) {
			f.Note("before version %s %s", k.before, k.what)
		}
	}
}

// older compares versions.
func older(a, b string) bool {
	parts := func(v string) (out [3]int) {
		for i, p := range strings.SplitN(v, ".", 3) {
			_, _ = fmt.Sscan(p, &out[i])
		}
		return out
	}
	x, y := parts(a), parts(b)
	return slices.Compare(x[:], y[:]) < 0
}
