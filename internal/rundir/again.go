package rundir

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Begun reports whether a directory is that of a run.
func Begun(dir string) (bool, error) {
	_, err := os.Stat(filepath.Join(dir, ConfigFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fault.Wrap(fault.IO, "open run", dir, err)
	}
	return true, nil
}

// Scores reads the scores of a finished run; nil if it is not finished.
func Scores(op, dir string) (*results.Summary, error) {
	out := &results.Summary{}
	err := jsonfile.ReadOwn(op, dir, filepath.Join("eval", "summary.json"), out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if out.Epochs == nil { // an evaluation of the untuned model before the training
		return nil, nil
	}
	return out, nil
}

// SameSettings refuses a run directory that was made with other settings, but for out.
func SameSettings(op, dir string, want *experiment.Experiment) error {
	path := filepath.Join(dir, ConfigFile)
	was, err := experiment.LoadRun(path)
	if err != nil {
		return err
	}
	now := map[string]string{}
	for s := range want.Settings() {
		now[s.Key] = s.Value
	}
	left := func(s experiment.Setting) bool { // to the design of the data set, then as now
		return s.Origin == experiment.FromDesign && want.Origin(s.Key) == experiment.FromDefault
	}
	for s := range was.Settings() {
		if s.Key != "out" && s.Value != now[s.Key] && !left(s) {
			return fault.New(fault.Exists, op, path, "was begun with %s: %s, not %s", s.Key, s.Value, now[s.Key]).
				WithHint("choose another folder, or remove that run")
		}
	}
	return nil
}
