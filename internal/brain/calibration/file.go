package calibration

import (
	"encoding/json"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// Folder is the folder of a run with a file for each subject.
const Folder = "calibration"

// Key is that of the metadata that a file of calibrations has.
const Key = "calibration"

const schema = 1

// Path returns the file of a subject in a run.
func Path(run, subject string) string { return filepath.Join(run, Folder, subject+".safetensors") }

// note is the metadata of a file.
type note struct {
	Schema   int       `json:"schema"`
	Levels   []float64 `json:"levels"`
	Clip     measured  `json:"clip"`
	Training measured  `json:"training"`
}

type measured struct {
	Rows      int `json:"rows"`
	Blocks    int `json:"blocks"`
	BlockRows int `json:"block_rows"`
}

// The two ways to standardise features, in names of tensors.
const clip, training = "clip", "training"

// Write writes a file, whole or not at all.
func (c *Calibration) Write(path string) error {
	about := note{Schema: schema, Levels: Levels, Clip: c.Clip.measured(), Training: c.Training.measured()}
	text, err := json.Marshal(about)
	if err != nil {
		return fault.Wrap(fault.Internal, "write calibration", path, err)
	}
	columns := make([]int64, len(c.Columns))
	for i, v := range c.Columns {
		columns[i] = int64(v)
	}
	n := []int{len(columns)}
	tensors := []ckpt.Tensor{ckpt.NewTensor("columns", n, columns), ckpt.NewTensor("validation_r", n, c.R),
		ckpt.NewTensor("statistics.mean", []int{len(c.Statistics.Mean)}, c.Statistics.Mean),
		ckpt.NewTensor("statistics.sd", []int{len(c.Statistics.SD)}, c.Statistics.SD)}
	for name, x := range map[string]Intervals{clip: c.Clip, training: c.Training} {
		tensors = append(tensors, ckpt.NewTensor(name+".intercept", n, x.Intercept),
			ckpt.NewTensor(name+".slope", n, x.Slope),
			ckpt.NewTensor(name+".half", []int{len(Levels), len(columns)}, x.Half))
	}
	return ckpt.Write(path, tensors, map[string]string{Key: string(text)})
}

func (x Intervals) measured() measured { return measured{x.Rows, x.Blocks, x.BlockRows} }

// Read reads the file of a readout for some columns and a number of channels, and refuses one of another readout. An
// error that matches fs.ErrNotExist says that there is none.
func Read(path string, columns []int, channels int) (*Calibration, error) {
	f, err := ckpt.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	bad := func(name, reason string, args ...any) error {
		return fault.New(fault.BadData, "read calibration", f.Where(name), reason, args...).
			WithHint("train again, or remove the file to go without intervals")
	}
	var about note
	if err := json.Unmarshal([]byte(f.Metadata()[Key]), &about); err != nil || about.Schema != schema ||
		!slices.Equal(about.Levels, Levels) {
		return nil, bad("columns", "it is not of this version")
	}
	is, err := f.Int64("columns")
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(is, columns, func(a int64, b int) bool { return a == int64(b) }) {
		return nil, bad("columns", "it is of other voxels than the readout")
	}
	c := &Calibration{Columns: columns, Clip: about.Clip.intervals(), Training: about.Training.intervals()}
	for _, t := range []struct {
		name string
		into *[]float64
		n    int
	}{
		{"validation_r", &c.R, len(columns)},
		{"statistics.mean", &c.Statistics.Mean, channels}, {"statistics.sd", &c.Statistics.SD, channels},
		{clip + ".intercept", &c.Clip.Intercept, len(columns)}, {clip + ".slope", &c.Clip.Slope, len(columns)},
		{clip + ".half", &c.Clip.Half, len(Levels) * len(columns)},
		{training + ".intercept", &c.Training.Intercept, len(columns)},
		{training + ".slope", &c.Training.Slope, len(columns)},
		{training + ".half", &c.Training.Half, len(Levels) * len(columns)},
	} {
		if *t.into, err = f.Float64(t.name); err != nil {
			return nil, err
		}
		if len(*t.into) != t.n {
			return nil, bad(t.name, "%d numbers, want %d", len(*t.into), t.n)
		}
	}
	for _, sd := range c.Statistics.SD {
		if !(sd > 0) {
			return nil, bad("statistics.sd", "a standard deviation is %g", sd)
		}
	}
	return c, nil
}

func (m measured) intervals() Intervals {
	return Intervals{Rows: m.Rows, Blocks: m.Blocks, BlockRows: m.BlockRows}
}
