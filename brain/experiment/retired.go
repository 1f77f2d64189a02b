package experiment

import (
	"errors"
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
)

// retired lists the names that the experiment file had before, each with its successor. An entry
// without a key is a key; others are values of that key. A retired name is an error that gives the
// new one: an alias would keep both alive.
var retired = []struct{ key, was, is string }{
	{"", "model.token", "model.pooling"},
	{"", "model.mode", "model.extraction"},
	{"model.extraction", "block", string(ExtractChunks)},
	{"", "model.block_seconds", "model.chunk_seconds"},
	{"", "readout.refresh_steps", "readout.refit_steps"},
	{"readout.mode", "pinned", string(ReadoutRidge)},
	{"", "readout.layer_mix", "readout.layer_weights"},
	{"readout.layer_weights", "region", string(LayerWeightsROI)},
	{"", "train.block_trs", "train.block_rows"},
	{"", "train.halo_trs", "train.context_rows"},
	{"", "train.guard_roi", "train.retain_roi"},
	{"", "train.guard_weight", "train.retain_weight"},
	{"", "train.guard_margin", "train.retain_margin"},
	{"", "train.mix_lr", "train.layer_weights_lr"},
	{"", "eval.chunk_trs", "eval.chunk_rows"},
	{"compat", "paper", "release"},
	{"compat", "first_token", "first_frame"},
	{"compat", "no_halo", "no_context"},
	{"compat", "first_block_val", "story_mean_val"},
}

// retiredName is the reason of an error about a retired name.
type retiredName struct{ was, is string }

func (r retiredName) Error() string { return fmt.Sprintf("%s is now %s", r.was, r.is) }

// successor returns the name that replaced a retired key, or a retired value of a key; "" if there is none.
func successor(key, was string) string {
	for _, r := range retired {
		if r.key == key && r.was == was {
			return r.is
		}
	}
	return ""
}

// LoadRun reads the resolved copy that a run directory keeps, and validates it. The origin of each value is the one
// that the copy records. A copy that an earlier version wrote, with keys that are retired since, is a *fault.Error of
// kind BadData.
func LoadRun(path string) (*Experiment, error) {
	f, piped, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if piped {
		return nil, fault.New(fault.BadData, "experiment", path, "is a pipe, want the file of a run").
			WithHint("name the directory of a run")
	}
	data, err := readLimited(path, f)
	if err != nil {
		return nil, err
	}
	e, err := ReadBytes(path, data)
	if err == nil {
		err = e.Validate()
	}
	if errors.As(err, new(retiredName)) {
		return nil, fault.New(fault.BadData, "experiment", path, "an earlier version of bwlm wrote this run").
			WithHint("repeat the run from its experiment file")
	}
	if err != nil {
		return nil, err
	}
	e.takeOrigins(data)
	return e, nil
}
