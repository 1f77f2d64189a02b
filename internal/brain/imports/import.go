package imports

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/datacheck"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Options say what [Found.Import] makes.
type Options struct {
	Dir     string        // that is made
	Link    bool          // name responses where they lie, instead of copying them
	DType   elements.Kind // of copies: Float32, also if it is "", or Float64
	Force   bool          // replace a folder that an import made
	Command []string      // for import.json

	// Check compares recordings with each other, and responses with recordings. What it finds is noted.
	Check bool

	// Progress is told how much is done of how much of a task, and what is at work; it may be nil.
	Progress func(task string, done, total int, what string)
}

// Files of an import.
const (
	recordName = "import.json"
	voxelsName = "voxels.json"
	stateName  = ".import" // folder of what an unfinished import knows
	lockName   = ".import.lock"
	unfinished = ".tmp"
)

// job is an import under way.
type job struct {
	*Found
	opt     Options
	folder  *disk.Folder
	record  *Record
	done    int // rows
	total   int
	files   map[string]bool // that belong to the result
	out     [][]*copied     // by subject and response
	columns map[string]int  // that are left of a subject
	empty   map[string]bool // subjects of whom some columns hold no numbers

	made map[string]string // tables of words and phones, by unit and story
}

// Import makes the folder Dir with the data set. See the package for what is in it.
func (f *Found) Import(ctx context.Context, opt Options) (*Record, error) {
	if opt.DType == "" {
		opt.DType = elements.Float32
	}
	defer func() {
		for _, a := range f.opened {
			a.Close()
		}
	}()
	j := &job{Found: f, opt: opt, files: map[string]bool{}, columns: map[string]int{}, empty: map[string]bool{},
		made: map[string]string{}}
	for _, step := range []func() error{j.allowed, f.Complete, j.possible} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	temp := filepath.Clean(opt.Dir) + unfinished
	if err := disk.MkdirAll(temp, 0o777); err != nil {
		return nil, disk.Fault(op, temp, err)
	}
	var err error
	if j.folder, err = disk.Open(temp); err != nil {
		return nil, disk.Fault(op, temp, err)
	}
	defer j.folder.Close()
	if err := j.fill(ctx); err != nil {
		return nil, err
	}
	return j.record, j.appear(temp)
}

// allowed refuses a folder that is there, or that lies within the source.
func (j *job) allowed() error {
	dir := j.opt.Dir
	if err := j.outside(dir); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fault.New(fault.Exists, op, quote.OneLine(dir), "cannot be made: %s", inputfile.Reason(err)).
			WithHint("choose another folder")
	case !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == recordName }):
		return fault.New(fault.Exists, op, quote.OneLine(dir), "is there already, and holds no %s: no import made it",
			recordName).WithHint("choose another folder")
	case j.opt.Force:
		return replaceable(dir, entries)
	}
	return fault.New(fault.Exists, op, quote.OneLine(dir), "is there already").
		WithHint("choose another folder, or set Force to replace it")
}

// possible checks that responses can be linked or copied, and that there is room.
func (j *job) possible() error {
	for _, s := range j.Subjects {
		for i := range s.Responses {
			r := &s.Responses[i]
			switch {
			case nameOf(s.Name) != s.Name || nameOf(r.Story) != r.Story || s.Name == "words" || s.Name == "phones":
				return fault.New(fault.BadData, op, quote.OneLine(r.File),
					"subject %s, story %s: names have none of /\\*?[]:, and no subject is called words or phones",
					quote.OneLine(s.Name), quote.OneLine(r.Story)).
					WithHint("give the files other names")
			case j.opt.Link && s.Selection != nil:
				return fault.New(fault.Usage, op, quote.OneLine(s.Selection.From),
					"no columns can be left out of responses that are named where they lie").WithHint("copy them")
			case j.opt.Link && !r.InPlace:
				return fault.New(fault.BadData, op, quote.OneLine(r.File),
					"the responses of subject %s to story %s cannot be read where they lie: they are compressed, "+
						"in chunks, or only a part of the file", s.Name, r.Story).WithHint("copy them")
			case !j.opt.Link && r.Open == nil:
				return fault.New(fault.Internal, op, quote.OneLine(r.File), "has no reader")
			}
			repeats, rows, _ := r.Extent()
			j.total += repeats * rows
		}
	}
	if j.opt.Link {
		return nil
	}
	need := j.Need(j.opt.DType)
	entries, err := os.ReadDir(filepath.Clean(j.opt.Dir) + unfinished) // what was done before takes no more room
	for _, e := range entries {
		if err == nil && e.IsDir() {
			need -= held(filepath.Join(filepath.Clean(j.opt.Dir)+unfinished, e.Name()))
		}
	}
	if free := proc.FreeDisk(j.opt.Dir); free > 0 && need > free {
		return fault.New(fault.IO, op, quote.OneLine(j.opt.Dir), "needs %s of disk, %s are free", Size(need),
			Size(free)).
			WithHint("free some space, choose another folder, or fewer subjects or stories")
	}
	return nil
}

// held is the size of the .npy in a folder.
func held(dir string) (n int64) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.npy"))
	for _, file := range files {
		if info, err := os.Stat(file); err == nil {
			n += info.Size()
		}
	}
	return n
}

// Need returns the bytes of the copied responses, and of the largest of them once more, which may be written again.
func (f *Found) Need(dtype elements.Kind) (bytes int64) {
	var largest int64
	for _, s := range f.Subjects {
		for i := range s.Responses {
			repeats, rows, voxels := s.Responses[i].Extent()
			n := int64(len(npyheader.Make(dtype, s.Responses[i].Shape))) +
				int64(repeats)*int64(rows)*int64(voxels-len(s.dropped()))*int64(dtype.Size())
			bytes, largest = bytes+n, max(largest, n)
		}
	}
	return bytes + largest
}

// fill makes what the folder holds.
func (j *job) fill(ctx context.Context) error {
	lock, err := j.folder.OpenOrCreate(lockName, 0, 0o666)
	if err != nil {
		return disk.Fault(op, j.folder.Path(lockName), err)
	}
	defer lock.Close()
	if ok, err := lock.TryLock(); err != nil || !ok {
		return fault.New(fault.Exists, op, quote.OneLine(j.folder.Path(".")), "another import is at work there").
			WithHint("wait for it, or choose another folder")
	}
	if err := j.sweep(true); err != nil {
		return err
	}
	j.begin()
	for i := range j.Subjects {
		if err := j.subject(ctx, i); err != nil {
			return err
		}
	}
	for _, step := range []func(context.Context) error{j.compareAudio, j.tables, j.motion, j.writeDescription,
		j.writeExperiment, j.checked, j.finish} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return j.sweep(false)
}

// sweep removes half-written files, and at the end all that is no part of the result.
func (j *job) sweep(begin bool) error {
	root := j.folder.Path(".")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		name := relative(root, path)
		switch {
		case err != nil || name == ".":
			return err
		case begin:
			if !atomicfile.Unfinished(e.Name(), e.IsDir()) {
				return nil
			}
		case e.IsDir() && name != stateName:
			return nil
		case j.files[name]:
			return nil
		}
		if err := j.folder.RemoveAll(name); err != nil {
			return err
		}
		if e.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	return disk.Fault(op, root, err)
}

// checked opens the data set that was made and compares its rows with the audio.
func (j *job) checked(ctx context.Context) error {
	d, err := dataset.Open(j.folder.Path("."))
	if err != nil {
		return j.located(err, j.folder.Path(FileName))
	}
	shapes, err := datacheck.CheckShapes(ctx, d, d.SubjectNames(), d.Stories())
	if err != nil {
		return err
	}
	for _, note := range shapes.Notes {
		if !slices.Contains(j.Notes, note) {
			j.Notes = append(j.Notes, note)
		}
	}
	if err := j.refuse(slices.Concat(shapes.Wrong, shapes.Lengths)); err != nil || !j.opt.Check {
		return err
	}
	j.record.Timing, err = j.checkTiming(ctx, d)
	return err
}

// appear gives the folder its name.
func (j *job) appear(temp string) error {
	dir, name := disk.Split(strings.TrimSuffix(temp, unfinished))
	if err := j.folder.SyncTree("."); err != nil {
		return disk.Fault(op, temp, err)
	}
	return disk.In(dir, func(folder *disk.Folder) error {
		remove := folder.Remove // of an empty folder
		if j.opt.Force {
			remove = folder.RemoveAll
		}
		if err := remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disk.Fault(op, j.opt.Dir, err)
		}
		if err := folder.Rename(name+unfinished, name); err != nil {
			return disk.Fault(op, j.opt.Dir, err)
		}
		return disk.Fault(op, dir, folder.SyncDir("."))
	})
}

// begin starts the record.
func (j *job) begin() {
	j.record = &Record{Schema: 1, Program: program(), Command: j.opt.Command, Started: time.Now().UTC(), Found: j.Found,
		Commit: commitOf(j.Source), Linked: j.opt.Link, Files: []Output{}, Voxels: []SubjectVoxels{}}
	if !j.opt.Link {
		j.record.DType = j.opt.DType
	}
}
