package regions

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Region is a named set of columns.
type Region struct {
	Name     string // a name that dataset.yaml allows
	From     string // overlays.svg, HCPMMP1, aparc.a2009s, "HCPMMP1 of fsaverage", or surfaces
	Parts    []string
	Vertices int
	Columns  []int // of the responses, ascending
}

// Overlap is how well two sources agree about auditory cortex.
type Overlap struct {
	A, B   string  // their From
	Voxels [3]int  // of A, of B, of both
	Dice   float64 // 2·both / (A + B)
}

// Regions are the regions of a subject.
type Regions struct {
	List     []Region // AC first, then cortex, then the others; none is empty
	Overlaps []Overlap
	NoAC     string   // why there is no AC, "" if there is one
	Notes    []string // what was left out, and why
}

// Options say what to make.
type Options struct {
	Rule      Rule
	AllLabels bool // a region of each area of the atlases, not only of those in auditory cortex
}

// Names of regions.
const (
	AC     = "AC"     // auditory cortex
	Cortex = "cortex" // all voxels of the cortex
)

// auditory is auditory cortex in the words of the atlases: core, belt, parabelt and A5 of Glasser; of Destrieux the
// transverse gyrus (Heschl's) and sulcus, planum temporale and the lateral superior temporal gyrus.
var auditory = []struct {
	atlas Atlas
	names []string
}{
	{Glasser, []string{"A1", "LBelt", "MBelt", "PBelt", "RI", "A4", "A5"}},
	{Destrieux, []string{"G_temp_sup-G_T_transv", "S_temporal_transverse", "G_temp_sup-Plan_tempo",
		"G_temp_sup-Lateral"}},
}

// Auditory returns the areas of an atlas that make up auditory cortex here.
func Auditory(of Atlas) []string {
	for _, a := range auditory {
		if a.atlas == of {
			return a.names
		}
	}
	return nil
}

// Make makes the regions of a subject in the columns of its responses, which are the voxels of a volume. That there is
// none at all is an error of kind Missing with the reasons. A file that is there and cannot be read is an error.
func Make(ctx context.Context, f Files, columns *cortex.Volume, opt Options) (*Regions, error) {
	if why := f.unusable(); why != "" {
		return nil, fault.New(fault.Missing, makeRegions, "", "%s", why).
			WithHint("get the surfaces and the transform of the subject's pycortex folder")
	}
	b, err := readBrain(f)
	if err != nil {
		return nil, err
	}
	m := &maker{brain: b, opt: opt, out: &Regions{}}
	if m.voxels, err = locate(ctx, opt.Rule, f, b, columns); err != nil {
		return nil, err
	}
	if err := m.drawings(f); err != nil {
		return nil, err
	}
	if err := m.atlases(ctx, f); err != nil {
		return nil, err
	}
	m.finish()
	if len(m.out.List) <= 1 { // the whole cortex alone is no region
		return nil, fault.New(fault.Missing, makeRegions, f.Transform, "there is no region: %s", m.out.NoAC)
	}
	return m.out, nil
}

// unusable says what is missing for any region, "" if nothing is.
func (f Files) unusable() string {
	switch {
	case f.Transform == "":
		return "there is no matrices.xfm, which places the surfaces among the voxels"
	case f.White[0] == "" || f.Pial[0] == "":
		return "there are no surfaces: neither wm and pia of pycortex nor white and pial of FreeSurfer, of both sides"
	}
	return ""
}

// maker collects regions.
type maker struct {
	brain  *brain
	voxels *voxels
	opt    Options
	out    *Regions
	ac     []Region // by source, the best first
	why    []string // no AC
}

func (m *maker) note(text string, args ...any) {
	m.out.Notes = append(m.out.Notes, fmt.Sprintf(text, args...))
}

// region makes a region of a set of vertices; false if it has no voxel.
func (m *maker) region(name string, s set, parts ...string) (Region, bool) {
	r := Region{Name: allowed(name), From: s.from, Parts: parts, Vertices: s.count(), Columns: m.voxels.of(s.has)}
	if len(r.Columns) == 0 {
		m.note("%s of %s has %d vertices and none of the voxels", name, s.from, r.Vertices)
	}
	return r, len(r.Columns) > 0
}

// drawings makes regions of the outlines.
func (m *maker) drawings(f Files) error {
	if f.Overlays == "" || f.Flat[0] == "" || f.Flat[1] == "" {
		missing := "overlays.svg"
		if f.Overlays != "" {
			missing = "flat map of both sides"
		}
		m.why = append(m.why, "there is no "+missing)
		return nil
	}
	sets, empty, err := drawn(f, m.brain)
	if err != nil {
		return err
	}
	if len(empty) > 0 {
		m.note("overlays.svg outlines no vertex for %s", list(empty))
	}
	var names []string
	for _, s := range sets {
		names = append(names, s.name)
		if r, ok := m.region(s.name, s); ok && strings.EqualFold(s.name, AC) {
			r.Name = AC
			m.ac = append(m.ac, r)
		} else if ok {
			m.out.List = append(m.out.List, r)
		}
	}
	if len(m.ac) == 0 {
		m.why = append(m.why, fmt.Sprintf("overlays.svg has no outline AC (it has %s)", list(names)))
	}
	return nil
}

// atlases makes regions of the labels.
func (m *maker) atlases(ctx context.Context, f Files) error {
	for _, a := range auditory {
		i := slices.IndexFunc(f.Annotations, func(x Annotation) bool { return x.Atlas == a.atlas })
		if i < 0 {
			m.why = append(m.why, fmt.Sprintf("there is no annotation %s", a.atlas))
			continue
		}
		sets, err := labelled(ctx, f, f.Annotations[i], m.brain)
		if err != nil {
			return err
		}
		for _, s := range sets {
			if m.opt.AllLabels || slices.Contains(a.names, s.name) {
				if r, ok := m.region(s.name, s); ok {
					m.out.List = append(m.out.List, r)
				}
			}
		}
		whole, absent := union(sets, string(a.atlas), a.names...)
		if len(absent) > 0 {
			why := fmt.Sprintf("annotation %s has no %s", a.atlas, list(absent))
			if m.why = append(m.why, why); whole.vertices == nil {
				continue
			}
			m.note("%s: AC is without", why)
		}
		whole.from = sets[0].from
		if r, ok := m.region(AC, whole, a.names...); ok {
			m.ac = append(m.ac, r)
		}
	}
	return nil
}

// finish puts AC and the whole cortex first, and compares the sources of AC.
func (m *maker) finish() {
	first := []Region{}
	if len(m.ac) == 0 {
		m.out.NoAC = strings.Join(m.why, "; ")
	}
	for i, r := range m.ac {
		if i > 0 {
			r.Name = AC + "_" + strings.Fields(r.From)[0]
		}
		first = append(first, r)
		for _, other := range m.ac[:i] {
			m.out.Overlaps = append(m.out.Overlaps, overlap(other, r))
		}
	}
	all := set{from: "surfaces", vertices: make([]bool, len(m.brain.white))}
	for v := range all.vertices {
		all.vertices[v] = true
	}
	if r, ok := m.region(Cortex, all); ok {
		first = append(first, r)
	}
	m.out.List = append(first, m.out.List...)
	m.unique()
}

// unique gives regions of one name the names of their sources too.
func (m *maker) unique() {
	taken := map[string]bool{}
	for i := range m.out.List {
		r := &m.out.List[i]
		for n := 2; taken[r.Name]; n++ {
			if name := allowed(r.Name + "_" + strings.Fields(r.From)[0]); !taken[name] {
				r.Name = name
			} else {
				r.Name = fmt.Sprintf("%s_%d", name, n)
			}
		}
		taken[r.Name] = true
	}
}

// overlap compares two regions.
func overlap(a, b Region) Overlap {
	both := 0
	for _, c := range a.Columns {
		if _, in := slices.BinarySearch(b.Columns, c); in {
			both++
		}
	}
	o := Overlap{A: a.From, B: b.From, Voxels: [3]int{len(a.Columns), len(b.Columns), both}}
	o.Dice = 2 * float64(both) / float64(len(a.Columns)+len(b.Columns))
	return o
}

// allowed replaces what names in dataset.yaml may not have.
func allowed(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\*?[]:`, r) {
			return '-'
		}
		return r
	}, name)
}

func join(names []string) string { return strings.Join(names, ", ") }
