package lebel

import (
	"fmt"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// The file of one array: h5py's header, then float64.
const (
	headerBytes  = 2048
	elementBytes = 8
)

// Names of arrays in the files.
const (
	mean     = "data"
	repeated = "individual_repeats"
)

// shapes finds the shape and the clock of each response, and compares shapes with respdict.json and with each other.
func (f *find) shapes() error {
	for i := range f.Subjects {
		s := &f.Subjects[i]
		var absent []int
		for k := range s.Responses {
			r := &s.Responses[k]
			file, there, err := f.File(r.File)
			if err != nil {
				return err
			}
			if there {
				err = f.open(r)
			} else {
				absent = append(absent, k)
				f.closed(r, file.Bytes)
			}
			if err != nil {
				return err
			}
		}
		if err := f.alike(s, absent); err != nil {
			return err
		}
		for k := range s.Responses {
			if err := f.clock(&s.Responses[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// open finds the array in a file.
func (f *find) open(r *imports.Response) error {
	file, err := arrayfile.Open(r.File)
	if err != nil {
		return err
	}
	defer file.Close()
	name := mean
	if slices.ContainsFunc(file.Arrays(), func(a stored.Array) bool { return a.Name == repeated }) {
		name = repeated
	}
	a, err := stored.Choose(op, r.File, name, file.Arrays(), file.Others())
	if err != nil {
		return err
	}
	rows := f.rows(r.Story)
	r.Array, r.Shape, r.DType, r.Offset = a.Name, a.Shape, a.DType, a.Offset
	r.InPlace = a.Offset >= 0 && !a.ByColumns
	r.Open = imports.OpenArray(r.File, a.Name)
	n := len(a.Shape)
	switch {
	case n != 2 && n != 3 || (n == 3) != (name == repeated):
		return f.Fail(r.File, "%s, want (rows, voxels) in data, or (repeats, rows, voxels) in individual_repeats", a)
	case a.Shape[n-1] == rows && a.Shape[n-2] != rows:
		return f.Fail(r.File, "%s, want %d rows × voxels: the array is transposed", a, rows)
	case a.Shape[n-2] != rows:
		return f.Fail(r.File, "%d rows, respdict.json says %d − %d = %d", a.Shape[n-2], f.volumes[r.Story], 2*trimmed,
			rows).WithHint("the file is of another story or version, or was not trimmed")
	}
	if name == repeated && slices.ContainsFunc(file.Arrays(), func(a stored.Array) bool { return a.Name == mean }) {
		return f.sameMean(r)
	}
	return nil
}

// rows are those of a story's responses.
func (f *find) rows(story string) int { return f.volumes[story] - 2*trimmed }

// sameMean compares the mean of the repeats with the mean that the file has, in three rows.
func (f *find) sameMean(r *imports.Response) error {
	repeats, rows, voxels := r.Extent()
	one, err := imports.RowsOf(r.File, mean)
	if err != nil {
		return err
	}
	defer one.Close()
	all, err := imports.RowsOf(r.File, repeated)
	if err != nil {
		return err
	}
	defer all.Close()
	want, got, row := make([]float64, voxels), make([]float64, voxels), make([]float64, voxels)
	for _, k := range slices.Compact([]int{0, rows / 2, rows - 1}) {
		if err := one.ReadRows(0, k, k+1, want); err != nil {
			return err
		}
		clear(got)
		for repeat := range repeats {
			if err := all.ReadRows(repeat, k, k+1, row); err != nil {
				return err
			}
			for v, x := range row {
				got[v] += x / float64(repeats)
			}
		}
		for v := range want {
			if d := math.Abs(got[v] - want[v]); d > 1e-6 {
				return f.Fail(r.File, "row %d, voxel %d: the mean of individual_repeats is %g, data has %g", k, v,
					got[v],
					want[v]).WithHint("get the file again")
			}
		}
	}
	return nil
}

// closed takes the voxels of a file without content from its size.
func (f *find) closed(r *imports.Response, size int64) {
	rows := int64(f.rows(r.Story))
	r.Array, r.InPlace = mean, true
	r.Shape = []int{int(rows), 0}
	if n := size - headerBytes; rows > 0 && n > 0 && n%(rows*elementBytes) == 0 {
		r.Shape[1] = int(n / (rows * elementBytes))
	}
}

// alike compares the voxels of a subject's stories. Of a file without content whose size is not that of one array of
// as many voxels as the others, it has several repeats.
func (f *find) alike(s *imports.Subject, absent []int) error {
	voxels := f.usual(s, absent)
	for k := range s.Responses {
		r := &s.Responses[k]
		_, rows, n := r.Extent()
		if n == voxels {
			continue
		}
		if !slices.Contains(absent, k) {
			return f.Fail(r.File, "%d voxels, other stories of subject %s have %d", n, s.Name, voxels)
		}
		r.Shape = []int{rows, voxels}
		if n := len(f.Missing); n > 0 && voxels > 0 && rows > 0 {
			at := slices.IndexFunc(f.Missing, func(m imports.File) bool { return m.Path == r.File })
			if repeats := int(f.Missing[at].Bytes/int64(rows*voxels*elementBytes)) - 1; repeats > 0 {
				r.Array, r.Shape = repeated, []int{repeats, rows, voxels}
			}
		}
	}
	return nil
}

// usual is the number of voxels that most stories have, those whose content is there before others.
func (f *find) usual(s *imports.Subject, absent []int) int {
	count := map[int]int{}
	best := 0
	for k := range s.Responses {
		_, _, n := s.Responses[k].Extent()
		if n == 0 {
			continue
		}
		if count[n]++; !slices.Contains(absent, k) {
			count[n] += len(s.Responses)
		}
		if count[n] > count[best] {
			best = n
		}
	}
	return best
}

// clock compares rows with the recording and says how they were derived.
func (f *find) clock(r *imports.Response) error {
	rows, volumes := f.rows(r.Story), f.volumes[r.Story]
	if rows <= 0 {
		return f.Fail(r.File, "respdict.json says %d TRs, of which %d were cut", volumes, 2*trimmed)
	}
	last := silence + tr*float64(rows)
	r.Derived = fmt.Sprintf("respdict %d − %d = %d rows", volumes, 2*trimmed, rows)
	if seconds := f.seconds[r.Story]; seconds > 0 {
		want := tr*float64(volumes) - 2*silence
		r.Derived += fmt.Sprintf("; recording %.2f s = 2·%d − 20 %+.2f", seconds, volumes, seconds-want)
		switch more := seconds - want; {
		case seconds < last-1:
			return f.Fail(r.File, "%d rows end at second %g of the recording, which has %.2f s", rows, last, seconds).
				WithHint("the recording is of another story or was cut")
		case more < -1 || more > 3:
			f.once("the recording of story %s has %.2f s, respdict.json says about %g s", r.Story, seconds, want)
		}
	}
	for i := range f.Stories {
		if s := &f.Stories[i]; s.Name == r.Story {
			s.Span = &imports.Span{First: silence, Last: last}
		}
	}
	return nil
}

// once adds a note that may be found for several subjects.
func (f *find) once(text string, args ...any) {
	if note := fmt.Sprintf(text, args...); !slices.Contains(f.Notes, note) {
		f.Notes = append(f.Notes, note)
	}
}
