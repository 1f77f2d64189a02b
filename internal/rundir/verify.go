package rundir

import (
	"cmp"
	"path/filepath"
	"syscall"

	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// The methods here read a run for others to judge. They take no lock and change nothing.

// Verify reads the checkpoint of a step: sizes and hashes of its files, the structure of its tensors, and whether a
// training of so many epochs can stand where it says.
func (r *Run) Verify(step, epochs int) (*Progress, error) {
	p, f, err := r.Open(step)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	blocks := max(p.Block, 1) // of an epoch, of which the first epoch does not know
	if len(p.Epochs) > 1 {
		blocks = p.Epochs[1].Step
	}
	return p, p.fits(filepath.Join(r.stepDir(step), stateFile), epochs, blocks)
}

// VerifyMetrics compares metrics.jsonl with a checkpoint and returns the number of bytes that were written after it.
func (r *Run) VerifyMetrics(p *Progress) (after int64, err error) {
	if err := r.checkMetrics(p); err != nil {
		return 0, err
	}
	err = disk.In(r.Dir, func(f *disk.Folder) error {
		info, err := f.Lstat(metricsFile)
		if err == nil {
			after = info.Size() - p.Metrics
		}
		return err
	})
	return after, disk.Fault("read metrics", r.File(metricsFile), err)
}

// Unfinished lists what a killed process left half written, by paths below the run directory.
func (r *Run) Unfinished() (names []string, err error) {
	err = disk.In(r.Dir, func(f *disk.Folder) error {
		return eachUnfinished(f, ".", func(name string) error { names = append(names, name); return nil })
	})
	return names, disk.Fault("read run", r.Dir, err)
}

// Holder returns the process that holds the lock, "" if there is none.
func (r *Run) Holder() (holder string) {
	_ = disk.In(r.Dir, func(f *disk.Folder) error { // a run that nobody works on has no such file
		file, _, err := f.Open(lockFile)
		if err != nil {
			return err
		}
		defer file.Close()
		if syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) != nil {
			name, _ := f.Read(lockFile, 512)
			holder = quote.OneLine(cmp.Or(string(name), "another process"))
		}
		return nil
	})
	return holder
}
