package imports

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

// experimentName is the file to start from.
const experimentName = "experiment.yaml"

// writeExperiment writes the experiment file.
func (j *job) writeExperiment(context.Context) error {
	return j.write(experimentName, func(w io.Writer) error {
		_, err := io.WriteString(w, j.experiment(filepath.Base(filepath.Clean(j.opt.Dir))))
		return err
	})
}

// fewRows is the number of training rows below which the ridge's folds need shorter chunks than usual.
const fewRows = 160

// experiment is the template with what is known of the data, which lie in the folder of a name.
func (f *Found) experiment(name string) string {
	splits := f.splits()
	values := map[string]string{".out": scalar("runs/" + name), "data.path": ".", "data.train": list(splits.Train),
		"data.val":  list(splits.Val),
		"data.test": list(splits.Test)}
	if f.Trim != nil {
		values["data.trim"] = fmt.Sprintf("[%d, %d]", f.Trim[0], f.Trim[1])
	} else if f.Trimmed {
		values["data.trim"] = "[0, 0]"
	}
	if f.ZScored {
		values["data.zscore"] = "none"
	}
	if n := f.rowsOf(splits.Train); n < fewRows {
		values["eval.chunk_rows"] = fmt.Sprint(max(2, n/5))
	}
	var b strings.Builder
	section := ""
	for line := range strings.Lines(experiment.Template("bold")) {
		indent, rest := "", strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(rest, "  ") {
			indent, rest = "  ", rest[2:]
		}
		key, _, ok := strings.Cut(strings.TrimPrefix(rest, "#"), ":")
		at := section
		if ok && indent == "" {
			at = ""
			if rest == key+":" {
				section = key
			}
		}
		value, known := values[at+"."+key]
		if !ok || !known {
			b.WriteString(line)
			continue
		}
		if key == "train" {
			if text := splits.warning(f.Shared); text != "" {
				splits.Comment = append(slices.Clone(splits.Comment), text)
			}
			for _, text := range splits.Comment {
				b.WriteString(indent + "# " + text + "\n")
			}
		}
		b.WriteString(indent + key + ": " + value + "\n")
	}
	return b.String()
}

// rowsOf is the smallest number of rows that a subject has of whole stories; of parts of one, all its rows count.
func (f *Found) rowsOf(stories []string) int {
	least := math.MaxInt
	for _, s := range f.Subjects {
		n := 0
		for i := range s.Responses {
			if _, rows, _ := s.Responses[i].Extent(); slices.ContainsFunc(stories, func(entry string) bool {
				return storyOf(entry) == s.Responses[i].Story
			}) {
				n += rows
			}
		}
		least = min(least, n)
	}
	return least
}

// splits are those of the kind. Without them, the story with the most repeats is tested, or else the last one, and the
// shortest of the others validates; of one or two stories rows are split. Stories that share audio stay together.
func (f *Found) splits() Splits {
	if len(f.Splits.Test) > 0 {
		return f.Splits
	}
	type story struct {
		name                 string
		repeats, rows, order int
	}
	var list []story
	for _, s := range f.Subjects {
		for i := range s.Responses {
			r := &s.Responses[i]
			repeats, rows, _ := r.Extent()
			at := slices.IndexFunc(list, func(s story) bool { return s.name == r.Story })
			if at < 0 {
				at, list = len(list), append(list, story{name: r.Story, order: len(list), rows: rows})
			}
			list[at].repeats, list[at].rows = max(list[at].repeats, repeats), min(list[at].rows, rows)
		}
	}
	if len(list) < 3 {
		last := list[len(list)-1]
		two := bySeconds(f, last.name, last.rows, list[0].name)
		if two.warning(f.Shared) != "" {
			return bySeconds(f, last.name, last.rows, last.name)
		}
		return two
	}
	test := slices.MaxFunc(list, func(a, b story) int {
		if a.repeats != b.repeats {
			return a.repeats - b.repeats
		}
		return a.order - b.order
	})
	out := Splits{Test: []string{test.name},
		Comment: []string{"The story with the most repeats is tested, or else the " +
			"last; the shortest of the others chooses the epoch."}}
	list = slices.DeleteFunc(list, func(s story) bool { return s.name == test.name })
	val := slices.MinFunc(list, func(a, b story) int { return a.rows - b.rows })
	out.Val = []string{val.name}
	for _, s := range list {
		if s.name != val.name {
			out.Train = append(out.Train, s.name)
		}
	}
	return out.together(f.Shared)
}

// gapSeconds keeps the stimulus windows of two splits of one story apart: window, delays and interpolation.
const gapSeconds = 24

// bySeconds splits the rows of the last story, with gaps, and trains on the first where there are two.
func bySeconds(f *Found, name string, rows int, first string) Splits {
	gap := int(gapSeconds/f.TR) + 1
	part := func(from, to float64) string {
		first := int(from * float64(rows))
		return fmt.Sprintf("%s[%d:%d]", name, first, max(first+1, int(to*float64(rows))-gap))
	}
	out := Splits{Train: []string{part(0, .6)}, Val: []string{part(.6, .75)}, Test: []string{part(.75, 1)},
		Comment: []string{"Rows of one story, with gaps of 24 s between the splits."}}
	if first != name {
		out.Train = []string{first}
		out.Val, out.Test = []string{part(0, .4)}, []string{part(.4, 1)}
	}
	return out
}
