package rundir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Run is a run directory: everything that a training leaves behind, and the lock that keeps a second one out.
//
//	config.yaml                 the experiment, resolved
//	manifest.json               hash of every input, versions, seeds
//	metrics.jsonl               a line for each step and epoch
//	adapter/                    the epoch chosen on validation, in the format of Hugging Face PEFT
//	readout/SUBJECT.safetensors the readout of that epoch
//	calibration/SUBJECT.safetensors what validation rows say about its predictions
//	ckpt/step-N/                to resume from
//	epochs/N/                   the same of epoch N, with train.keep_epochs
//	features/epoch-N/           features at rows after epoch N, with train.save_features
//	eval/                       scores, predictions, and what their rows and columns are
type Run struct {
	Dir   string
	lock  *disk.File
	fresh bool // made by this process
	made  bool // by Reserve: without scores the directory goes again
	reads bool // made by Follow

	inputsKnown bool
}

// Create makes a new run directory and locks it. A directory that holds a training is refused, and so is one with files
// of others. Scores of the untuned model may be there, and what a process left that died before config.yaml was there.
func Create(dir string) (*Run, error) {
	const op = "create run"
	if err := vacant(op, dir); err != nil {
		return nil, err
	}
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return nil, disk.Fault(op, dir, err)
	}
	r, err := lock(op, dir, func() error { return vacant(op, dir) }) // another process may have been faster
	if err == nil {
		r.fresh = true
	}
	return r, err
}

// Follow returns a run that another process has opened and writes: this one trains with it, and only reads. What it
// saves or logs is nowhere.
func Follow(dir string) (*Run, error) {
	const op = "follow run"
	begun, err := Begun(dir)
	if err == nil && !begun {
		err = fault.New(fault.Missing, op, dir, "this rank finds no %s there, which rank 0 has written", ConfigFile).
			WithHint("put out on a file system that all ranks share")
	}
	if err == nil {
		err = CheckFiles(op, dir)
	}
	if err != nil {
		return nil, err
	}
	return &Run{Dir: dir, reads: true}, nil
}

// Follows reports whether another process writes the run.
func (r *Run) Follows() bool { return r.reads }

// Fresh reports whether this process made the run.
func (r *Run) Fresh() bool { return r.fresh }

// vacant returns an error unless a training may begin in a directory.
func vacant(op, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.IO, op, dir, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == ConfigFile }) {
		return fault.New(fault.Exists, op, dir, "is there already").WithHint("resume %s, or choose another out", dir)
	}
	for _, e := range entries {
		if name := e.Name(); !slices.Contains([]string{"eval", lockFile, ManifestOfRun, failureFile}, name) &&
			!atomicfile.Unfinished(name, e.IsDir()) {
			return fault.New(fault.Exists, op, dir, "holds %s, and no %s", quote.OneLine(name), ConfigFile).
				WithHint("choose another out, or empty the directory")
		}
	}
	return nil
}

// Reserve makes and locks the directory of an experiment that has not been trained, for scores of the untuned model in
// its eval/. The directory of a training, finished or not, is refused: its scores are those of the training.
func Reserve(dir string) (*Run, error) {
	const op = "write scores"
	_, err := os.Stat(dir)
	made := errors.Is(err, fs.ErrNotExist)
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return nil, disk.Fault(op, dir, err)
	}
	r, err := lock(op, dir, func() error {
		if _, err := os.Lstat(filepath.Join(dir, ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Exists, op, dir, "holds a training, whose scores would be replaced").
				WithHint("score the training itself, or choose another out")
		}
		return nil
	})
	if err == nil {
		r.made = made
	}
	return r, err
}

// Hold makes and locks a directory that is not that of a run, so that one process at a time works in it. An error
// matches ErrLocked if another one does.
func Hold(dir string) (*Run, error) {
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return nil, disk.Fault("lock folder", dir, err)
	}
	r := &Run{Dir: dir}
	return r, r.acquire()
}

// Open opens a run directory and locks it.
func Open(dir string) (*Run, error) {
	const op = "open run"
	_, err := os.Lstat(filepath.Join(dir, ConfigFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil, inputfile.Error(op, dir, err)
	}
	if err != nil {
		missing := fault.New(fault.Missing, op, dir, "there is no %s", ConfigFile).
			WithHint("name the directory of a run")
		if _, begun := os.Lstat(filepath.Join(dir, ManifestOfRun)); begun == nil {
			missing.WithHint("the training ended before it had begun: train again with its experiment file")
		}
		missing.Err = err
		return nil, missing
	}
	return lock(op, dir, func() error { return nil })
}

// lock locks a directory if ready agrees then, refuses links and pipes in the place of files of a run, and removes what
// dead processes left.
func lock(op, dir string, ready func() error) (*Run, error) {
	r := &Run{Dir: dir}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	err := ready()
	if err == nil {
		err = CheckFiles(op, dir)
	}
	if err == nil {
		err = disk.In(dir, func(f *disk.Folder) error { return sweep(f, ".") })
		err = disk.Fault("remove unfinished file", dir, err)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// CheckFiles returns a fault of kind BadData of the operation op if something in a run directory that bwlm writes is
// not a regular file or a real folder. The directory itself may be reached by a link.
func CheckFiles(op, dir string) error {
	err := disk.In(dir, func(f *disk.Folder) error {
		return f.Check(ConfigFile, ManifestOfRun, metricsFile, lockFile, "ckpt", "adapter", "model", "readout",
			"calibration", "eval", "controls", "epochs", "features", "profile.json", "trace.json",
			tuningFile, failureFile)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // reading it tells
	}
	return disk.Fault(op, dir, err)
}

// sweep removes unfinished files of a killed process. The lock ensures that no process is writing.
func sweep(f *disk.Folder, dir string) error { return eachUnfinished(f, dir, f.RemoveAll) }

// eachUnfinished visits what a killed process left half written below a folder.
func eachUnfinished(f *disk.Folder, dir string, visit func(name string) error) error {
	entries, err := f.ReadDir(dir)
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		switch {
		case err != nil:
		case atomicfile.Unfinished(e.Name(), e.IsDir()):
			err = visit(name)
		case e.IsDir():
			err = eachUnfinished(f, name, visit)
		}
	}
	return err
}

const (
	ConfigFile    = "config.yaml"
	ManifestOfRun = "manifest.json"
	metricsFile   = "metrics.jsonl"
	lockFile      = ".lock"
)

// ErrLocked is matched by the errors of opening a run on which another process works.
var ErrLocked = errors.New("locked by another process")

// acquire takes the lock. It is the kernel's, so that of a dead process is free.
func (r *Run) acquire() error {
	err := disk.In(r.Dir, func(f *disk.Folder) error {
		for {
			file, err := f.OpenOrCreate(lockFile, 0, 0o600)
			if err != nil {
				return err
			}
			ok, err := file.TryLock()
			if err == nil && !ok {
				holder, _ := f.Read(lockFile, 512)
				busy := fault.New(fault.Exists, "lock run", r.Dir, "%s is working on it",
					quote.OneLine(cmp.Or(string(holder), "another process"))).WithHint("wait for it, or stop it")
				busy.Err, err = ErrLocked, busy
			}
			if err != nil {
				file.Close()
				return err
			}
			mine, err := file.Stat() // and not one that its holder removed while this process waited
			there, gone := f.Lstat(lockFile)
			if err == nil && gone == nil && os.SameFile(mine, there) {
				r.lock = file
				break
			}
			file.Close()
		}
		host, _ := os.Hostname()
		if err := r.lock.Truncate(0); err != nil {
			return err
		}
		_, err := fmt.Fprintf(r.lock, "process %d on %s", os.Getpid(), cmp.Or(host, "this machine"))
		return err
	})
	if err != nil && r.lock != nil {
		r.Close()
	}
	return disk.Fault("lock run", r.Dir, err)
}

// Close gives the lock back.
func (r *Run) Close() error {
	if r.reads {
		return nil
	}
	_ = disk.In(r.Dir, func(f *disk.Folder) error { return f.Remove(lockFile) }) // while it is still ours
	if r.made {
		parent, name := disk.Split(r.Dir)
		_ = disk.In(parent, func(f *disk.Folder) error { return f.Remove(name) }) // which keeps a directory with scores
	}
	return r.lock.Close()
}

// maxConfig is the size of the largest config.yaml that is read.
const maxConfig = 2 << 20

// Config reads config.yaml.
func (r *Run) Config() ([]byte, error) {
	var text []byte
	err := disk.In(r.Dir, func(f *disk.Folder) (err error) {
		text, err = f.Read(ConfigFile, maxConfig)
		return err
	})
	return text, disk.Fault("read config", r.File(ConfigFile), err)
}

// Experiment reads the resolved experiment of the run.
func (r *Run) Experiment() (*experiment.Experiment, error) {
	if _, err := r.Config(); err != nil { // which follows no link
		return nil, err
	}
	exp, err := experiment.LoadRun(r.File(ConfigFile))
	if err != nil {
		return nil, err
	}
	exp.Out = r.Dir // wherever it has been moved to
	return exp, nil
}

// Progress is where the run stands by its newest good checkpoint.
func (r *Run) Progress() (*Progress, error) {
	p, f, err := r.Newest(func(error) {})
	if err != nil {
		return nil, err
	}
	return p, f.Close()
}

// File is a place in the run directory.
func (r *Run) File(name string) string { return filepath.Join(r.Dir, name) }

// Path is a place in the run directory; its parent is made.
func (r *Run) Path(elem ...string) (string, error) {
	name := filepath.Join(elem...)
	if err := disk.MkdirAll(r.Dir, 0o755); err != nil {
		return "", disk.Fault("write run", r.Dir, err)
	}
	err := disk.In(r.Dir, func(f *disk.Folder) error { return f.MkdirAll(filepath.Dir(name), 0o755) })
	return r.File(name), disk.Fault("write run", r.File(name), err)
}

// Log appends one line to metrics.jsonl and gives the file's length.
func (r *Run) Log(v any) (int64, error) {
	if r.reads {
		return 0, nil
	}
	return jsonfile.AppendLine("write metrics", r.File(metricsFile), v)
}

// ReplaceDir puts a new folder in the place of an old one, which is removed when the new one is complete.
func ReplaceDir(path string, fill func(dir string) error) error {
	dir, name := disk.Split(path)
	return disk.Fault("replace", path, disk.In(dir, func(f *disk.Folder) error {
		return atomicfile.ReplaceDirIn(f, name, fill)
	}))
}

// Discard removes a folder of a run.
func Discard(path string) error {
	dir, name := disk.Split(path)
	return disk.Fault("replace", path, disk.In(dir, func(f *disk.Folder) error { return f.RemoveAll(name) }))
}
