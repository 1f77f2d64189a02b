package report

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// grouped joins runs whose part is the same under one heading.
func grouped[T any](runs []*pageOfRun, several bool, of func(*pageOfRun) T, put func(heading string, part T)) {
	var parts []T
	var names [][]string
	for _, r := range runs {
		part := of(r)
		i := slices.IndexFunc(parts, func(other T) bool { return reflect.DeepEqual(other, part) })
		if i < 0 {
			i = len(parts)
			parts, names = append(parts, part), append(names, nil)
		}
		names[i] = append(names[i], r.Name)
	}
	for i, part := range parts {
		heading := strings.Join(names[i], ", ")
		if len(parts) == 1 && several {
			heading = "All runs"
		}
		put(heading, part)
	}
}

type dataPart struct {
	Heading, About string
	Splits         []splitLine
	Subjects       []subjectLine
	Notes          []string
}

type splitLine struct {
	Name          string
	Stories, Rows int
	Which         string
}

type subjectLine struct{ Name, Voxels, Tuned, Constant string }

func (p *page) data() {
	grouped(p.Report.Runs, p.Several, (*pageOfRun).data, func(heading string, d dataPart) {
		d.Heading = heading
		p.Data = append(p.Data, d)
	})
}

// data describes what a run was made from.
func (r *pageOfRun) data() (d dataPart) {
	if r.Data != nil {
		d.About = "Data set " + r.Data.Name + "."
		if r.Data.Licence != "" {
			d.About += " Licence: " + r.Data.Licence + "."
		}
	}
	if m := r.Manifest; m != nil {
		at := map[string]int{}
		for _, text := range m.Splits {
			split, rows, _ := strings.Cut(text, " ")
			i, known := at[split]
			if !known {
				i = len(d.Splits)
				at[split] = i
				d.Splits = append(d.Splits, splitLine{Name: split})
			}
			s := &d.Splits[i]
			s.Stories++
			var from, to int
			if k := strings.LastIndex(rows, "["); k >= 0 {
				if _, err := fmt.Sscanf(rows[k:], "[%d:%d]", &from, &to); err == nil {
					s.Rows += to - from
				}
			}
			switch {
			case s.Stories <= 6:
				s.Which += strings.TrimPrefix(", "+rows, map[bool]string{true: ", "}[s.Which == ""])
			case s.Stories == 7:
				s.Which += ", …"
			}
		}
		d.Notes = append(d.Notes, m.Notes...)
	} else {
		d.Notes = append(d.Notes, r.Summary.Notes...)
	}
	for _, p := range r.Subjects {
		line := subjectLine{p.Name, fmt.Sprint(p.Voxels), "–", fmt.Sprint(p.Constant())}
		if r.Manifest != nil && r.Scores.Tuned != nil {
			for _, m := range r.Manifest.Subjects {
				if m.Name == p.Name {
					line.Tuned = fmt.Sprint(m.Tuned)
				}
			}
		}
		d.Subjects = append(d.Subjects, line)
	}
	return d
}
