package imports

import (
	"bytes"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// YAML returns the description of the files where they lie, with comments on what was found, guessed and left out.
func (f *Found) YAML() []byte { return (&description{Found: f, linked: true}).yaml() }

// description is a dataset.yaml that is written.
type description struct {
	*Found
	linked  bool
	columns map[string]int    // that are left of each subject
	empty   map[string]bool   // subjects of whom some columns hold no numbers
	tables  map[string]string // of words and phones, by unit and story
	b       bytes.Buffer
}

func (d *description) comment(text string, args ...any) {
	d.line("# %s", quote.Escaped(fmt.Sprintf(text, args...), ""))
}

func (d *description) line(text string, args ...any) { fmt.Fprintf(&d.b, text+"\n", args...) }

func (d *description) yaml() []byte {
	d.comment("Found in %s, as %s.", d.Source, d.Kind)
	if d.linked {
		d.comment("Paths are absolute: the files stay where they are. Every key is in docs/dataset-format.md.")
	} else {
		d.comment("Relative paths are below this folder; %s says where they come from. Every key is in "+
			"docs/dataset-format.md.", recordName)
	}
	for _, text := range d.Guessed {
		d.comment("Guessed: %s.", text)
	}
	d.line("\nname: %s", scalar(d.Name))
	d.optional("licence", d.Licence, "CC0")
	d.optional("citation", d.Citation, "who is to be cited")
	d.line("\ntr_seconds: %s      # from one row to the next", number(d.TR))
	d.line("row_time: %s       # instant within its TR that a row stands for: 0 begin, 1 end", number(d.RowTime))
	if d.Trimmed {
		d.line("trimmed: true       # rows at both ends were cut before the responses were stored")
	}
	d.stories()
	d.subjects()
	d.places()
	if len(d.LeftOut) > 0 {
		d.line("")
		d.comment("Left out:")
		for _, l := range d.LeftOut {
			d.comment("  %s: %s", l.File, l.Why)
		}
	}
	return d.b.Bytes()
}

func (d *description) optional(key, value, example string) {
	if value == "" {
		d.line("# %s: %s", key, example)
		return
	}
	d.line("%s: %s", key, scalar(value))
}

func (d *description) stories() {
	d.line("\nstories:")
	for _, s := range d.Stories {
		d.line("  %s:\n    audio: %s", scalar(s.Name), scalar(s.Audio))
		for _, t := range []struct{ key, path string }{{"words", s.Words}, {"phones", s.Phones}} {
			path := t.path
			if made, ok := d.tables[t.key+":"+s.Name]; ok {
				path = made
			}
			if path != "" {
				d.line("    %s: %s", t.key, scalar(path))
			}
		}
		d.line("    first_tr_seconds: %s", number(s.First))
		if s.Span != nil {
			d.line("    rows: %s", span(s.Span))
		}
		if s.SameAs != "" {
			d.line("    same_as: {story: %s, row: %d}", scalar(s.SameAs), s.SameRow)
		}
	}
}

func (d *description) subjects() {
	d.line("\nsubjects:")
	for _, s := range d.Subjects {
		d.line("  %s:", scalar(s.Name))
		for i := range s.Responses {
			r := &s.Responses[i]
			d.line("    %s: %s    # %s", scalar(r.Story), d.response(&s, r), shape(d.shape(&s, r)))
		}
	}
	head := "\nmotion:"
	for _, s := range d.Subjects {
		name := "  " + scalar(s.Name) + ":"
		for _, r := range s.Responses {
			if r.Motion == nil {
				continue
			}
			for _, line := range []*string{&head, &name} {
				if *line != "" {
					d.line("%s", *line)
				}
				*line = ""
			}
			fields := []string{"file: " + scalar(r.Motion.File)}
			if r.Motion.Open != nil && !d.linked {
				fields[0] = "file: " + scalar(motionName(s.Name, &r))
			}
			if len(r.Motion.Columns) > 0 {
				fields = append(fields, "columns: "+list(r.Motion.Columns))
			}
			d.line("    %s: {%s}", scalar(r.Story), strings.Join(fields, ", "))
		}
	}
}

// response is the value of a response: a path, or a mapping.
func (d *description) response(s *Subject, r *Response) string {
	path := r.File
	if !d.linked {
		path = npyName(s.Name, r.Story)
	}
	var fields []string
	if d.linked && r.Array != "" {
		fields = append(fields, "array: "+scalar(r.Array))
	}
	if r.First != nil {
		fields = append(fields, "first_tr_seconds: "+number(*r.First))
	}
	if r.Span != nil {
		fields = append(fields, "rows: "+span(r.Span))
	}
	if fields == nil {
		return scalar(path)
	}
	return "{file: " + scalar(path) + ", " + strings.Join(fields, ", ") + "}"
}

// shape is the shape of a response as it is written.
func (d *description) shape(s *Subject, r *Response) []int {
	out := append([]int(nil), r.Shape...)
	if n, ok := d.columns[s.Name]; ok && !d.linked {
		out[len(out)-1] = n
	}
	return out
}

// places writes masks, surfaces and regions of interest.
func (d *description) places() {
	var masks, surfaces []string
	rois := map[string][]string{}
	var names []string
	for _, s := range d.Subjects {
		kept := ""
		if _, _, voxels := s.Responses[0].Extent(); !d.linked && d.columns[s.Name] < voxels {
			kept = scalar(filepath.Join(s.Name, keptName))
		}
		if m := s.Mask; m != nil {
			fields := "file: " + scalar(m.File)
			if m.File == "" {
				fields = "file: " + scalar(filepath.Join(s.Name, maskName))
			}
			if m.XFirst {
				fields += ", order: x"
			}
			if kept != "" {
				fields += ", voxels: " + kept
			}
			masks = append(masks, fmt.Sprintf("  %s: {%s}", scalar(s.Name), fields))
		}
		if m := s.Surface; m != nil {
			fields := "left: " + scalar(m.Left) + ", right: " + scalar(m.Right)
			if m.Vertices != nil && !d.linked {
				kept = scalar(verticesName(s.Name))
			}
			if kept != "" {
				fields += ", vertices: " + kept
			}
			surfaces = append(surfaces, fmt.Sprintf("  %s: {%s}", scalar(s.Name), fields))
		}
		for _, r := range s.ROIs {
			if rois[r.Name] == nil {
				names = append(names, r.Name)
			}
			rois[r.Name] = append(rois[r.Name], scalar(s.Name)+": "+scalar(roiName(s.Name, r.Name)))
		}
	}
	for _, part := range []struct {
		key   string
		lines []string
	}{{"mask", masks}, {"surface", surfaces}} {
		if len(part.lines) > 0 {
			d.line("\n%s:\n%s", part.key, strings.Join(part.lines, "\n"))
		}
	}
	if len(d.empty) > 0 {
		d.line("\nempty:    # columns without numbers, which keep their places")
		for _, s := range d.Subjects {
			if d.empty[s.Name] {
				d.line("  %s: %s", scalar(s.Name), scalar(emptyOf(s.Name)))
			}
		}
	}
	if len(names) == 0 {
		d.line("\n# rois:\n#   auditory: [0, 1, 2]        # columns, or the path of a .npy with them")
		return
	}
	d.line("\nrois:")
	for _, name := range names {
		d.line("  %s: {%s}", scalar(name), strings.Join(rois[name], ", "))
	}
}

// number spells a number as YAML has it.
func number(x float64) string {
	if short := math.Round(x*1e9) / 1e9; math.Abs(short-x) < 1e-12*math.Abs(x) { // the rest is of a sum
		x = short
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func span(s *Span) string { return "{first: " + number(s.First) + ", last: " + number(s.Last) + "}" }

// list is a list on one line.
func list(items []string) string {
	out := make([]string, len(items))
	for i, item := range items {
		if out[i] = scalar(item); strings.ContainsAny(item, ",[]{}") {
			out[i] = strconv.Quote(item)
		}
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// scalar is text as YAML takes it, on one line.
func scalar(text string) string {
	out, err := yaml.Marshal(text)
	line := strings.TrimSuffix(string(out), "\n")
	if err != nil || strings.Contains(line, "\n") || strings.HasPrefix(line, "|") || strings.ContainsAny(text,
		",[]{}") {
		return fmt.Sprintf("%q", text)
	}
	return line
}

func shape(dims []int) string {
	text := make([]string, len(dims))
	for i, n := range dims {
		text[i] = fmt.Sprint(n)
	}
	return strings.Join(text, " × ")
}
