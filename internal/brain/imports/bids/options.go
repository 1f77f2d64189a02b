package bids

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const op = "import data"

// Options select what is imported, and tell what the folder does not.
type Options struct {
	Subjects, Tasks []string // without sub- and task-; empty: all
	Stories         []string // empty: all
	Kind            bidsdata.Kind
	Space, Desc     string

	Audio   []string // TASK=FILE, or folders with recordings
	Onset   *float64 // second of a scan at which its recording begins, where there is no table of events
	Surface []string // files of the left and right hemisphere
	Raw     bool     // take time series that were not preprocessed

	Cortical bool // of CIFTI files, the vertices of the cortex alone

	Clean clean.Recipe
}

// book is the task of a language of Le Petit Prince, and how many rows follow the end of a recording.
var book = map[string]int{"lppEN": 4, "lppCN": 0, "lppFR": 2}

// options are those of package bidsdata for a tree. Sections is true if the runs are sections of Le Petit Prince.
func (f *finder) options(t *bidsdata.Tree) (out bidsdata.Options, sections bool, err error) {
	o := f.o
	out = bidsdata.Options{Kind: o.Kind, Space: o.Space, Desc: o.Desc, Onset: o.Onset, Raw: o.Raw,
		Audio: map[string]string{}}
	if len(o.Subjects) > 0 {
		if out.Subjects, err = f.selected("subject", "sub", t, o.Subjects); err != nil {
			return out, false, err
		}
	}
	tasks, err := f.selected("task", "task", t, o.Tasks)
	if err != nil {
		return out, false, err
	}
	if len(o.Tasks) > 0 {
		out.Tasks = tasks
	}
	if out.Vertices, err = o.vertices(); err != nil {
		return out, false, err
	}
	for _, text := range o.Audio {
		if task, file, ok := strings.Cut(text, "="); ok {
			if !slices.Contains(tasks, task) {
				return out, false, fault.New(fault.Usage, op, quote.OneLine(f.Source),
					"there are no time series of the task %s, whose recording is given", quote.OneLine(task)).
					WithHint("the tasks are %s", strings.Join(tasks, ", "))
			}
			out.Audio[task] = file
			continue
		}
		for _, task := range tasks {
			for _, ext := range imports.AudioExts {
				file := filepath.Join(text, task+ext)
				if exists(file) && out.Audio[task] == "" {
					out.Audio[task] = file
				}
			}
		}
	}
	inBook := 0
	for _, task := range tasks {
		if _, ok := book[task]; ok {
			inBook++
		}
	}
	switch {
	case inBook == 0:
		return out, false, nil
	case len(tasks) > 1:
		return out, false, fault.New(fault.Usage, op, quote.OneLine(t.Root),
			"there are %s: runs of Le Petit Prince are imported one language at a time", strings.Join(tasks, ", ")).
			WithHint("choose one task")
	}
	out.Sections = bidsdata.LePetitPrince[strings.TrimPrefix(tasks[0], "lpp")]
	return out, true, nil
}

// vertices is the number of vertices of each of the surfaces, 0 without them.
func (o Options) vertices() (n int, err error) {
	if len(o.Surface) > 0 && len(o.Surface) != 2 {
		return 0, fault.New(fault.Usage, op, quote.OneLine(strings.Join(o.Surface, ",")),
			"there are %d surfaces, want the left and the right", len(o.Surface))
	}
	for i, file := range o.Surface {
		s, err := cortex.ReadSurface(file)
		switch {
		case err != nil:
			return 0, err
		case i > 0 && len(s.Points) != n:
			return 0, fault.New(fault.BadData, op, quote.OneLine(file),
				"it has %d vertices, that of the left hemisphere %d",
				len(s.Points), n).WithHint("take both hemispheres of one space")
		}
		n = len(s.Points)
	}
	return n, nil
}

// selected returns the values of an entity of time series that fit patterns, with the entity's name or without it.
func (f *finder) selected(what, entity string, t *bidsdata.Tree, patterns []string) ([]string, error) {
	var names, plain []string
	for _, n := range t.Files {
		if name := n.Get(entity); name != "" && series.MatchString(n.Path) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, p := range patterns {
		plain = append(plain, strings.TrimPrefix(p, entity+"-"))
	}
	return f.Select(what, names, plain)
}

// series matches the names of time series.
var series = regexp.MustCompile(`(bold\.nii(\.gz)?|\.func\.gii|\.dtseries\.nii)$`)
