package imports

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/version"
)

// Record is import.json: where everything in the folder comes from.
type Record struct {
	Schema   int             `json:"schema"`
	Program  string          `json:"program"`
	Command  []string        `json:"command"`
	Started  time.Time       `json:"started"`
	Finished time.Time       `json:"finished"`
	Commit   string          `json:"commit"` // of the source in git; "" if it is none
	Linked   bool            `json:"linked"` // responses are named where they lie
	DType    elements.Kind   `json:"dtype,omitempty"`
	Files    []Output        `json:"files"`
	Voxels   []SubjectVoxels `json:"voxels"`
	Timing   *Timing         `json:"timing,omitempty"`
	Found    *Found          `json:"found"`

	AudioSeconds float64 `json:"audio_seconds"` // of the recordings of all stories
}

// Output is the responses of a subject to a story as they were imported.
type Output struct {
	Subject string `json:"subject"`
	Story   string `json:"story"`
	Path    string `json:"path,omitempty"` // in the folder
	Bytes   int64  `json:"bytes,omitempty"`
	SHA256  string `json:"sha256,omitempty"`
	Shape   []int  `json:"shape"`
	Sources []File `json:"sources"`
	Checked bool   `json:"digest_checked"` // of all sources, with that of their keys
	Values  Values `json:"values"`
}

// SubjectVoxels is voxels.json: which columns of the source the columns here are.
type SubjectVoxels struct {
	Subject string       `json:"subject"`
	Columns int          `json:"columns"`
	Source  int          `json:"source_columns"`
	Empty   []EmptyVoxel `json:"without_number"` // left out, unless subjects share the space

	// Selection is what says which columns are imported, if they are not all.
	Selection *Selection `json:"selection,omitempty"`

	// Kept is the file with the column in the source of each column here, if some were left out.
	Kept string `json:"kept,omitempty"`
}

// EmptyVoxel is a voxel without a number in any row of some stories.
type EmptyVoxel struct {
	Column  int      `json:"column"` // in the source
	Stories []string `json:"stories"`
}

func program() string { return "bwlm " + version.String() }

// maskName and keptName are files in the folder of a subject.
const (
	maskName = "mask.nii.gz"
	keptName = "columns.npy"
)

// voxels writes which voxels of a subject were left out, its mask, regions and motion.
func (j *job) voxels(s *Subject, leftOut []int, voxels int) error {
	made := j.out[len(j.out)-1]
	gone := union(s.dropped(), leftOut)
	v := SubjectVoxels{Subject: s.Name, Source: voxels, Columns: voxels - len(gone), Empty: []EmptyVoxel{},
		Selection: s.Selection}
	var empty []int
	for _, c := range made {
		empty = union(empty, c.Empty)
	}
	for _, column := range empty {
		gone := EmptyVoxel{Column: column, Stories: []string{}}
		for k, c := range made {
			if _, is := slices.BinarySearch(c.Empty, column); is {
				gone.Stories = append(gone.Stories, s.Responses[k].Story)
			}
		}
		v.Empty = append(v.Empty, gone)
	}
	if s.KeepNaN && len(empty) > 0 {
		columns, kept := make([]int32, len(empty)), without(voxels, gone)
		for i, c := range empty {
			at, _ := slices.BinarySearch(kept, c)
			columns[i] = int32(at)
		}
		j.empty[s.Name] = true
		if err := j.write(emptyOf(s.Name), func(w io.Writer) error { return writeNPY(w, columns) }); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		var kept []int32
		for _, column := range without(voxels, gone) {
			kept = append(kept, int32(column))
		}
		v.Kept = filepath.Join(s.Name, keptName)
		if err := j.write(v.Kept, func(w io.Writer) error { return writeNPY(w, kept) }); err != nil {
			return err
		}
	}
	j.columns[s.Name] = v.Columns
	j.record.Voxels = append(j.record.Voxels, v)
	if s.Mask != nil && s.Mask.File != "" {
		var err error
		if s.Mask.SHA256, err = digest(s.Mask.File); err != nil {
			return err
		}
	}
	if s.Surface != nil && s.Surface.Vertices != nil {
		if err := j.vertices(s, gone); err != nil {
			return err
		}
	}
	if s.Mask != nil && s.Mask.File == "" {
		name := filepath.Join(s.Name, maskName)
		if err := s.Mask.Make(j.folder.Path(name)); err != nil {
			return err
		}
		j.files[name] = true
	}
	if err := j.regions(s, without(voxels, gone)); err != nil {
		return err
	}
	return j.write(filepath.Join(s.Name, voxelsName), func(w io.Writer) error { return jsonfile.Encode(w, v) })
}

// regions writes the regions of interest of a subject in the columns that are kept, and forgets those without one.
func (j *job) regions(s *Subject, kept []int) error {
	rois := s.ROIs
	s.ROIs = nil
	for _, roi := range rois {
		wanted := union(roi.Columns, nil)
		columns := []int32{}
		for at, column := range kept {
			if _, in := slices.BinarySearch(wanted, column); in {
				columns = append(columns, int32(at))
			}
		}
		if n := len(columns); n < len(wanted) {
			j.Note("%d of %d voxels of region %s of %s are kept", n, len(wanted), roi.Name, s.Name)
			if n == 0 {
				continue
			}
		}
		s.ROIs = append(s.ROIs, roi)
		write := func(w io.Writer) error { return writeNPY(w, columns) }
		if err := j.write(roiName(s.Name, roi.Name), write); err != nil {
			return err
		}
	}
	return nil
}

// replaceable refuses to replace the folder of an import in which there is something else, such as the run of a
// training.
func replaceable(dir string, entries []fs.DirEntry) error {
	var then Record
	if err := jsonfile.Read(op, filepath.Join(dir, recordName), &then); err != nil {
		return err
	}
	made := []string{FileName, experimentName, recordName, "words", "phones"}
	for _, v := range then.Voxels {
		made = append(made, v.Subject)
	}
	for _, e := range entries {
		if !slices.Contains(made, e.Name()) {
			return fault.New(fault.Exists, op, quote.OneLine(dir), "holds %s, which no import made",
				quote.OneLine(e.Name())).WithHint("move it elsewhere first, or choose another folder")
		}
	}
	return nil
}

// digest is the SHA-256 of a file.
func digest(path string) (string, error) {
	file, _, err := inputfile.Open(op, path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", inputfile.Error(op, path, err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// emptyOf is the list of the empty columns of a subject, which keep their places.
func emptyOf(subject string) string { return filepath.Join(subject, "empty.npy") }

func verticesName(subject string) string { return filepath.Join(subject, "vertices.npy") }

// vertices writes the vertices of the columns that are kept.
func (j *job) vertices(s *Subject, gone []int) error {
	var kept []int32
	for column, v := range s.Surface.Vertices {
		if _, is := slices.BinarySearch(gone, column); !is {
			kept = append(kept, int32(v))
		}
	}
	return j.write(verticesName(s.Name), func(w io.Writer) error { return writeNPY(w, kept) })
}

func roiName(subject, roi string) string { return filepath.Join(subject, "rois", nameOf(roi)+".npy") }

// writeNPY writes a list as a .npy.
func writeNPY(w io.Writer, values []int32) error {
	if _, err := w.Write(npyheader.Make(elements.Int32, []int{len(values)})); err != nil {
		return err
	}
	_, err := elements.Write(w, values)
	return err
}

// write makes a file of the result.
func (j *job) write(name string, write func(io.Writer) error) error {
	j.files[name] = true
	if err := j.folder.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return disk.Fault(op, j.folder.Path(name), err)
	}
	return atomicfile.WriteIn(j.folder, name, write)
}

// finish writes the record.
func (j *job) finish(context.Context) error {
	for i, s := range j.Subjects {
		for k := range s.Responses {
			r, made := &s.Responses[k], j.out[i][k]
			sources, err := r.sources()
			if err != nil {
				return err
			}
			o := Output{Subject: s.Name, Story: r.Story, Shape: slices.Clone(r.Shape), Sources: sources,
				Values:  made.Values,
				Checked: true}
			for _, f := range sources {
				o.Checked = o.Checked && f.key.Digester() != nil
			}
			if !j.opt.Link {
				o.Path, o.Bytes, o.SHA256 = npyName(s.Name, r.Story), made.Bytes, made.SHA256
				o.Shape[len(o.Shape)-1] = j.columns[s.Name]
			}
			j.record.Files = append(j.record.Files, o)
		}
	}
	j.record.Finished = time.Now().UTC()
	return j.write(recordName, func(w io.Writer) error { return jsonfile.Encode(w, j.record) })
}
