package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
)

// ofReadout matches the tensors of a readout.
var ofReadout = regexp.MustCompile(
	`^((bottleneck|linear)\.(weight|bias)|columns|layer_weights\.logits|layer_weights_groups)$`)

// readouts writes the readout of each subject under an alias, subject-1 and so on in the order of the names.
func (w *writer) readouts() error {
	dir := filepath.Join(w.run, "readout")
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil || len(files) == 0 {
		return fault.New(fault.Missing, op, dir, "there is no readout, so the training is not finished").
			WithHint("resume %s", w.run)
	}
	slices.Sort(files)
	if err := os.Mkdir(filepath.Join(w.dir, "readout"), 0o755); err != nil {
		return fault.Wrap(fault.IO, op, w.dir, err)
	}
	for i, path := range files {
		alias := fmt.Sprintf("subject-%0*d", len(fmt.Sprint(len(files))), i+1)
		if err := w.readout(path, filepath.Join(w.dir, "readout", alias+".safetensors")); err != nil {
			return err
		}
		w.out.Aliases = append(w.out.Aliases, alias)
		w.out.Subjects = append(w.out.Subjects, strings.TrimSuffix(filepath.Base(path), ".safetensors"))
	}
	return nil
}

// readout copies the tensors of a readout that are listed, and of its metadata the note by its fields.
func (w *writer) readout(from, to string) error {
	f, err := ckpt.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	var tensors []ckpt.Tensor
	for info := range f.Tensors() {
		if !ofReadout.MatchString(info.Name) {
			return fault.New(fault.BadData, op, f.Where(info.Name), "no tensor of a readout has this name").
				WithHint("verify the run: it was changed")
		}
		t, err := f.Tensor(info.Name)
		if err != nil {
			return err
		}
		tensors = append(tensors, t)
	}
	var note rundir.ReadoutNote
	if err := json.Unmarshal([]byte(f.Metadata()[rundir.ReadoutKey]), &note); err != nil {
		return fault.New(fault.BadData, op, from, "the file does not say TR and delays of its data").
			WithHint("train again with this version")
	}
	text, err := json.Marshal(note)
	if err != nil {
		return fault.Wrap(fault.BadData, op, from, err)
	}
	return ckpt.Write(to, tensors, map[string]string{rundir.ReadoutKey: string(text)})
}

// adapter writes the adapter in PEFT's files, of whose configuration package peft knows every key.
func (w *writer) adapter() error {
	if w.exp.Train.Mode != experiment.TrainLoRA {
		return nil
	}
	f, err := peft.Open(filepath.Join(w.run, "adapter"))
	if err != nil {
		return err
	}
	f.Config.BaseModel = w.opt.Base
	f.Card = peft.Card{Data: w.opt.Data, Licence: w.opt.DataLicence}
	return f.Save(filepath.Join(w.dir, "adapter"))
}

const card = `---
library_name: bwlm
base_model: %q
license: %q
---
Predictors of fMRI responses to speech, made by bwlm.

- Base model: %s%s (%s). Its weights are not in this package.
- Data: %s (%s). No responses are in this package.
- Predictors: %s. Each is a readout of one subject; voxels are numbered as in that subject's data.
%s
LICENCES.json has the licence and the SHA-256 of each file. Whoever uses the weights is bound by the licences of the
base model and of the data.

The adapter is in the files of Hugging Face PEFT. In Go, predict.Open reads this folder, with Options.Model naming the
folder of the base model and Options.Subject one of the predictors. Predictions are those of the trained readout, in
SDs of a voxel's responses; the documentation of predict.Predictor has their limits.
`

// card writes README.md: what the publisher said, and the mean scores over subjects if the run has them.
func (w *writer) card() error {
	revision := ""
	if w.opt.BaseRevision != "" {
		revision = " at revision " + w.opt.BaseRevision
	}
	scores, err := w.scores()
	if err != nil {
		return err
	}
	text := fmt.Sprintf(card, w.opt.Base, w.opt.DataLicence, w.opt.Base, revision, w.opt.BaseLicence, w.opt.Data,
		w.opt.DataLicence, strings.Join(w.out.Aliases, ", "), scores)
	return atomicfile.Write(filepath.Join(w.dir, "README.md"), func(out io.Writer) error {
		_, err := io.WriteString(out, text)
		return err
	})
}

// scores returns a line about the means over subjects and voxels; "" where the run was not evaluated.
func (w *writer) scores() (string, error) {
	path := filepath.Join(w.run, "eval", "summary.json")
	var s results.Summary
	err := jsonfile.Read(op, path, &s)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err == nil {
		err = results.CheckSchema(path, s.Schema)
	}
	if err != nil || s.Test.Tuned == nil {
		return "", err
	}
	return fmt.Sprintf("- Mean r over voxels and subjects on held-out stories, of a ridge fitted anew: "+
		"%.3f untuned, %.3f tuned.\n", s.Test.Base.MeanR, s.Test.Tuned.MeanR), nil
}
