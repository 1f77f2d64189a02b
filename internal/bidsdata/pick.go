package bidsdata

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Kind is a kind of time series.
type Kind string

// The kinds that are read.
const (
	Volumes Kind = "volumes" // NIfTI of four dimensions
	Surface Kind = "surface" // GIFTI, one file for each hemisphere
	Dense   Kind = "dense"   // CIFTI
)

// Form is what responses of one data set have in common: those in different forms cannot be joined.
type Form struct {
	Kind        Kind
	Space, Desc string // entities, "" if there are none
}

func (f Form) String() string {
	text := string(f.Kind)
	if f.Space != "" {
		text += " in space " + f.Space
	}
	if f.Desc != "" {
		text += ", desc " + f.Desc
	}
	return text
}

// Options select responses and tell what a data set does not.
type Options struct {
	Subjects, Tasks []string // without sub- and task-; empty: all
	Kind            Kind     // "": the one that there is
	Space, Desc     string   // "": the one that there is

	// Audio names the recording of a task whose events name none.
	Audio map[string]string

	// Onset is the second of the scan at which the recording of Audio begins in scans without a table of events.
	Onset *float64

	// Vertices is the number of vertices of a hemisphere's surface; 0: known from the space, as 40962 of fsaverage6.
	Vertices int

	// Sections are the numbers of volumes of the sections of a book, for data sets whose run numbers are no sections
	// and that have no events.tsv, as [LePetitPrince]. Recordings begin with row 0.
	Sections []int

	// Raw takes raw files for responses, if there are no derived ones.
	Raw bool
}

// response is one time series: a file, or two hemispheres.
type response struct {
	Name // of the file, or of the left hemisphere
	form Form
	also *Name // the right hemisphere
}

// formOf tells what a file is; ok is false if it is no time series.
func formOf(n Name) (f Form, ok bool) {
	f = Form{Space: n.Get("space"), Desc: n.Get("desc")}
	switch {
	case n.Get("sub") == "" || n.Get("task") == "":
		return f, false
	case n.Ext == ".dtseries.nii":
		f.Kind = Dense
	case n.Ext == ".func.gii" && (n.Suffix == "bold" || n.Suffix == "") && n.Get("hemi") != "":
		f.Kind = Surface
	case n.Suffix == "bold" && (n.Ext == ".nii" || n.Ext == ".nii.gz"):
		f.Kind = Volumes
	default:
		return f, false
	}
	return f, true
}

// derived reports whether a file was made from a raw one.
func derived(n Name, f Form) bool { return f.Kind != Volumes || f.Space != "" || f.Desc != "" }

// responses finds those that the options select, in one form.
func (t *Tree) responses(o Options) ([]response, error) {
	bad := func(kind fault.Kind, why string, args ...any) *fault.Error {
		return fault.New(kind, reading, quote.OneLine(t.Root), why, args...)
	}
	byForm, forms := map[Form][]Name{}, []Form{}
	raw, echoes := []Name{}, []Name{}
	for _, n := range t.Files {
		f, ok := formOf(n)
		if !ok || !among(o.Subjects, n.Get("sub")) || !among(o.Tasks, n.Get("task")) {
			continue
		}
		switch {
		case n.Get("echo") != "":
			echoes = append(echoes, n)
			continue
		case !derived(n, f):
			raw = append(raw, n)
			continue
		case o.Kind != "" && f.Kind != o.Kind || o.Space != "" && f.Space != o.Space || o.Desc != "" &&
			f.Desc != o.Desc:
			continue
		}
		if byForm[f] == nil {
			forms = append(forms, f)
		}
		byForm[f] = append(byForm[f], n)
	}
	switch {
	case len(forms) > 1:
		texts := make([]string, len(forms))
		for i, f := range forms {
			texts[i] = f.String()
		}
		slices.Sort(texts)
		return nil, bad(fault.BadData, "there are responses in %d forms: %s", len(forms), strings.Join(texts, "; ")).
			WithHint("select one by kind, space and desc")
	case len(forms) == 1:
		return t.paired(forms[0], byForm[forms[0]])
	case len(raw) > 0 && o.Raw:
		return t.paired(Form{Kind: Volumes}, raw)
	case len(raw) > 0:
		return nil, bad(fault.BadData, "the %d time series are raw, not preprocessed: %s and so on", len(raw),
			quote.OneLine(raw[0].Path)).WithHint("preprocess them, e.g. with fMRIPrep, or take them as they are: Raw")
	case len(echoes) > 0:
		return nil, bad(fault.BadData, "the %d time series are of single echoes, not combined: %s and so on",
			len(echoes),
			quote.OneLine(echoes[0].Path)).WithHint("combine the echoes, e.g. with tedana or fMRIPrep")
	}
	return nil, bad(fault.Missing, "there are no time series of these subjects, tasks, kind, space and desc").
		WithHint("look for names such as sub-01_task-story_space-MNI152NLin2009cAsym_desc-preproc_bold.nii.gz")
}

// among reports whether a list is empty or has a word.
func among(list []string, word string) bool { return len(list) == 0 || slices.Contains(list, word) }

// paired joins the hemispheres of surfaces, left then right.
func (t *Tree) paired(f Form, names []Name) ([]response, error) {
	var out []response
	if f.Kind != Surface {
		for _, n := range names {
			out = append(out, response{Name: n, form: f})
		}
		return out, nil
	}
	right := map[string]Name{}
	for _, n := range names {
		if n.Get("hemi") == "R" {
			right[path.Dir(n.Path)+"/"+n.without("hemi").key()] = n
		}
	}
	for _, n := range names {
		if n.Get("hemi") != "L" {
			continue
		}
		key := path.Dir(n.Path) + "/" + n.without("hemi").key()
		r, ok := right[key]
		if !ok {
			return nil, fault.New(fault.Missing, reading, quote.OneLine(t.path(n.Path)),
				"there is no file of the right hemisphere").WithHint("get the file with hemi-R in place of hemi-L")
		}
		delete(right, key)
		out = append(out, response{Name: n, form: f, also: &r})
	}
	for _, n := range right {
		return nil, fault.New(fault.Missing, reading, quote.OneLine(t.path(n.Path)),
			"there is no file of the left hemisphere").WithHint("get the file with hemi-L in place of hemi-R")
	}
	slices.SortFunc(out, func(a, b response) int { return cmp.Compare(a.Path, b.Path) })
	return out, nil
}

// verticesOf are the vertices of a hemisphere of known surfaces.
var verticesOf = map[string]int{"fsaverage": 163842, "fsaverage6": 40962, "fsaverage5": 10242, "fsaverage4": 2562,
	"fsaverage3": 642}

// describe names a file for a sentence.
func describe(n Name) string { return fmt.Sprintf("%s%s%s", n.key(), n.Suffix, n.Ext) }
