package rundir

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
)

// errImpossible marks a checkpoint whose files fit its manifest and whose numbers contradict each other. No interrupted
// write leaves one, so it is not passed over for an older checkpoint.
var errImpossible = errors.New("impossible state")

func impossible(path, why string, args ...any) error {
	why = "impossible numbers, although the file fits the manifest: " + why
	f := fault.New(fault.BadData, "read checkpoint", path, why, args...).
		WithHint("nothing was changed: put the checkpoint back from a copy, or remove it to go on from the one before")
	f.Err = errImpossible
	return f
}

// check returns an error unless the numbers can be those of a checkpoint of a step; path is the file they are from.
func (p *Progress) check(path string, step int) error {
	n := len(p.Epochs)
	switch {
	case p.Step != step:
		return impossible(path, "step %d in the checkpoint of step %d", p.Step, step)
	case p.Epoch < 0 || p.Block < 0 || p.Metrics < 0:
		return impossible(path, "epoch %d, block %d, metrics_bytes %d", p.Epoch, p.Block, p.Metrics)
	case n != p.Epoch+1:
		return impossible(path, "%d entries of epochs after epoch %d", n, p.Epoch)
	case p.Best < 0 || p.Best >= n:
		return impossible(path, "best %d of %d epochs", p.Best, n)
	case p.BestStep != p.Epochs[p.Best].Step:
		return impossible(path, "best_step %d, and epoch %d ended at step %d", p.BestStep, p.Best,
			p.Epochs[p.Best].Step)
	}
	last := 0
	for i, e := range p.Epochs {
		if e.Epoch != i || e.Step < last || i == 0 && e.Step != 0 {
			return impossible(path, "entry %d of epochs is epoch %d at step %d", i, e.Epoch, e.Step)
		}
		if !(e.ValR >= -1.001 && e.ValR <= 1.001) {
			return impossible(path, "val_r %g of epoch %d", e.ValR, i)
		}
		last = e.Step
	}
	if p.Step != last+p.Block {
		return impossible(path, "step %d, %d blocks after step %d", p.Step, p.Block, last)
	}
	return nil
}

// fits returns an error unless a training of so many epochs and blocks per epoch can stand there.
func (p *Progress) fits(run string, epochs, blocks int) error {
	if p.Epoch > epochs || p.Block > blocks || p.Epoch == epochs && p.Block > 0 || p.Step != p.Epoch*blocks+p.Block {
		return impossible(run, "epoch %d, block %d and step %d, of %d epochs of %d blocks", p.Epoch, p.Block, p.Step,
			epochs, blocks)
	}
	return nil
}

// checkMetrics returns an error unless metrics.jsonl begins with the lines that were there when the checkpoint was
// saved: one for each step and epoch. What follows them is of no interest; Rewind cuts it off.
func (r *Run) checkMetrics(p *Progress) error {
	path := r.File(metricsFile)
	bad := func(why string, args ...any) error {
		return fault.New(fault.BadData, "read metrics", path, why, args...).
			WithHint("nothing was changed: put the file back from a copy, or start another run")
	}
	folder, err := disk.Open(r.Dir)
	if err != nil {
		return disk.Fault("read metrics", path, err)
	}
	defer folder.Close()
	file, size, err := folder.Open(metricsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return bad("is missing; %d bytes were there when the checkpoint was saved", p.Metrics)
	}
	if err != nil {
		return disk.Fault("read metrics", path, err)
	}
	defer file.Close()
	if size < p.Metrics {
		return bad("has %d bytes; %d were there when the checkpoint was saved", size, p.Metrics)
	}
	steps, epochs := 0, 0
	const longest = 1 << 20
	lines := bufio.NewReaderSize(io.LimitReader(file, p.Metrics), longest)
	for n := 1; ; n++ {
		text, err := lines.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(text) == 0 {
			break
		}
		if err != nil {
			return bad("line %d has no end where the checkpoint was saved", n)
		}
		var line struct {
			Step  *int     `json:"step"`
			Epoch *int     `json:"epoch"`
			Story *string  `json:"story"` // of a step
			ValR  *float64 `json:"val_r"` // of an epoch
		}
		if err := json.Unmarshal(text, &line); err != nil {
			return bad("line %d: %v", n, err)
		}
		switch {
		case line.Step != nil && line.Story != nil && *line.Step == steps+1:
			steps++
		case line.Epoch != nil && line.ValR != nil && *line.Epoch == epochs:
			epochs++
		default:
			return bad("line %d is neither step %d nor epoch %d", n, steps+1, epochs)
		}
	}
	if steps != p.Step || epochs != len(p.Epochs) {
		return bad("has %s; the checkpoint has %d and %d", fmt.Sprintf("%d steps and %d epochs", steps, epochs), p.Step,
			len(p.Epochs))
	}
	return nil
}
