package rundir

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Run is a run directory: everything that a training leaves behind, and the lock that keeps a second one out.
//
//	config.yaml                 the experiment, resolved
//	manifest.json               hash of every input, versions, seeds
//	metrics.jsonl               a line for each step and epoch
//	adapter/                    the epoch chosen on validation, in the format of Hugging Face PEFT
//	readout/SUBJECT.safetensors the readout of that epoch
//	ckpt/step-N/                to resume from
//	epochs/N/                   the same of epoch N, with train.keep_epochs
//	features/epoch-N/           features at rows after epoch N, with train.save_features
//	eval/                       scores, predictions, and what their rows and columns are
type Run struct {
	Dir  string
	lock *flock.Flock
}

// CreateRun makes a new run directory and locks it. One that holds anything but eval/ is refused.
func Create(dir string) (*Run, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fault.Wrap(fault.IO, "create run", dir, err)
	}
	if slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != "eval" && e.Name() != lockFile }) {
		return nil, fault.New(fault.Exists, "create run", dir, "is there already").
			WithHint("resume %s, or choose another out", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fault.Wrap(fault.IO, "create run", dir, err)
	}
	r := &Run{Dir: dir}
	return r, r.acquire()
}

// Reserve makes and locks the directory of an experiment that has not been trained, for scores of the untuned model in
// its eval/. The directory of a training, finished or not, is refused: its scores are those of the training.
func Reserve(dir string) (*Run, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fault.Wrap(fault.IO, "write scores", dir, err)
	}
	r := &Run{Dir: dir}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(r.File(ConfigFile)); !errors.Is(err, fs.ErrNotExist) {
		r.Close()
		return nil, fault.New(fault.Exists, "write scores", dir, "holds a training, whose scores would be replaced").
			WithHint("score the training itself, or choose another out")
	}
	return r, nil
}

// OpenRun opens a run directory and locks it.
func Open(dir string) (*Run, error) {
	if _, err := os.Stat(filepath.Join(dir, ConfigFile)); err != nil {
		missing := fault.New(fault.Missing, "open run", dir, "there is no %s", ConfigFile).
			WithHint("name the directory of a run")
		missing.Err = err
		return nil, missing
	}
	r := &Run{Dir: dir}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	return r, r.sweep()
}

// sweep removes unfinished files of a killed process. The lock ensures that no process is writing.
func (r *Run) sweep() error {
	return filepath.WalkDir(r.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return fault.Wrap(fault.IO, "open run", path, err)
		}
		name := d.Name()
		file := strings.HasPrefix(name, ".") && strings.HasSuffix(name, ".tmp")
		folder := d.IsDir() && strings.Contains(name, ".tmp.")
		if !file && !folder || path == r.Dir {
			return nil
		}
		if err := os.RemoveAll(path); err != nil {
			return fault.Wrap(fault.IO, "remove unfinished file", path, err)
		}
		if folder {
			return fs.SkipDir
		}
		return nil
	})
}

const (
	ConfigFile    = "config.yaml"
	ManifestOfRun = "manifest.json"
	metricsFile   = "metrics.jsonl"
	lockFile      = ".lock"
)

// acquire takes the lock. It is the kernel's, so that of a dead process is free.
func (r *Run) acquire() error {
	path := r.File(lockFile)
	for {
		r.lock = flock.New(path)
		ok, err := r.lock.TryLock()
		if err != nil {
			return fault.Wrap(fault.IO, "lock run", r.Dir, err)
		}
		if !ok {
			holder, _ := os.ReadFile(path)
			return fault.New(fault.Exists, "lock run", r.Dir, "%s is working on it",
				cmp.Or(string(holder), "another process")).
				WithHint("wait for it, or stop it")
		}
		if mine, err := r.lock.Stat(); err == nil { // and not one that its holder removed while this process waited
			if there, err := os.Stat(path); err == nil && os.SameFile(mine, there) {
				break
			}
		}
		r.lock.Unlock()
	}
	host, _ := os.Hostname()
	if err := os.WriteFile(path, fmt.Appendf(nil, "process %d on %s", os.Getpid(), cmp.Or(host, "this machine")),
		0o600); err != nil {
		return fault.Wrap(fault.IO, "lock run", r.Dir, err)
	}
	return nil
}

// Close gives the lock back.
func (r *Run) Close() error {
	_ = os.Remove(r.lock.Path()) // while it is still ours
	return r.lock.Unlock()
}

// Experiment reads the resolved experiment of the run.
func (r *Run) Experiment() (*experiment.Experiment, error) {
	exp, err := experiment.LoadRun(filepath.Join(r.Dir, ConfigFile))
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
	p := filepath.Join(append([]string{r.Dir}, elem...)...)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return "", fault.Wrap(fault.IO, "write run", p, err)
	}
	return p, nil
}

// Log appends one line to metrics.jsonl and gives the file's length.
func (r *Run) Log(v any) (int64, error) {
	return jsonfile.AppendLine("write metrics", r.File(metricsFile), v)
}

// ReplaceDir puts a new folder in the place of an old one.
func ReplaceDir(path string, fill func(dir string) error) error {
	if err := os.RemoveAll(path); err != nil {
		return fault.Wrap(fault.IO, "replace", path, err)
	}
	return atomicfile.Dir(path, fill)
}
