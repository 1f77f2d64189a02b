package extract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
)

// MergeOptions name what is merged, and where to.
type MergeOptions struct {
	Model    string // folder of the speech model
	Adapters Adapters
	Out      string // folder to make
	Force    bool   // replace Out if it is a folder that Merge made
}

// Merged is what a merge did.
type Merged struct {
	Modules     []string // layers that changed, in the order of the model
	MaxRounding float64  // largest |stored weight - exact sum|
	Notes       []string
}

const mergeModel = "merge"

// mergedFiles are all that a merged folder may hold.
var mergedFiles = []string{"config.json", "model.safetensors", "preprocessor_config.json", "README.md"}

// Merge adds adapters to the weights of a speech model and writes the sum as a folder in Hugging Face's layout, which
// transformers loads as it is: all of it or nothing. What is at Out already is a fault of kind Exists, unless it is
// forced away; then it goes when its successor is whole.
func Merge(ctx context.Context, opt MergeOptions) (*Merged, error) {
	if err := opt.inputs(); err != nil {
		return nil, err
	}
	target := atomicfile.Target{What: mergeModel, Dir: opt.Out, Force: opt.Force, Files: mergedFiles,
		Whole: "a merged model"}
	if err := target.Check(); err != nil {
		return nil, err
	}
	m, err := OpenAdapted(ctx, opt.Model, opt.Adapters, speech.Options{})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	if len(m.adapters) == 0 {
		return nil, fault.New(fault.Usage, mergeModel, "", "there is no adapter")
	}
	sum, err := peft.Merge(ctx, m.base.Session(), m.adapters...)
	if err != nil {
		return nil, err
	}
	defer sum.Close()
	out := &Merged{MaxRounding: sum.MaxRounding, Notes: m.Notes}
	for _, a := range m.adapters {
		for _, path := range a.Paths() {
			if !slices.Contains(out.Modules, path) {
				out.Modules = append(out.Modules, path)
			}
		}
	}
	return out, target.Write(func(dir string) error { return m.saveMerged(ctx, dir, opt) })
}

// inputs refuses to write over what is to be merged, forced or not.
func (o MergeOptions) inputs() error {
	out, err := os.Stat(o.Out)
	if err != nil {
		return nil
	}
	for _, in := range append([]string{o.Model}, o.Adapters.Dirs...) {
		if info, err := os.Stat(in); err == nil && os.SameFile(info, out) {
			return fault.New(fault.Usage, mergeModel, o.Out,
				"is what is to be merged").WithHint("choose another folder")
		}
	}
	return nil
}

// saveMerged writes the files of a merged model into a folder that is there.
func (m *SpeechModel) saveMerged(ctx context.Context, dir string, opt MergeOptions) error {
	inner := filepath.Join(dir, "model") // which Save wants to make itself
	if err := m.base.Save(ctx, inner); err != nil {
		return err
	}
	entries, err := os.ReadDir(inner)
	for _, e := range entries {
		err = errors.Join(err, os.Rename(filepath.Join(inner, e.Name()), filepath.Join(dir, e.Name())))
	}
	text := fmt.Sprintf(mergedReadme, opt.Model, m.describe(opt.Adapters))
	return errors.Join(err, os.Remove(inner), os.WriteFile(filepath.Join(dir, "README.md"), []byte(text), 0o666))
}

// describe lists the adapters, a line each.
func (m *SpeechModel) describe(from Adapters) string {
	var b strings.Builder
	for i, a := range m.adapters {
		dirs := from.Dirs[i : i+1]
		if len(m.adapters) < len(from.Dirs) { // they were made one
			dirs = from.Dirs
		}
		fmt.Fprintf(&b, "    adapter: %s (%s, %d places)\n", strings.Join(dirs, " + "), a.File().Method(),
			len(a.Paths()))
	}
	return b.String()
}

const mergedReadme = `---
library_name: transformers
---
A speech model with adapters added to its weights by bwlm.

    model:   %s
%s
It is an ordinary checkpoint: no adapter is left to be loaded.

    from transformers import AutoModel
    model = AutoModel.from_pretrained("this folder")
`
