// Package verify looks for damage in what a study reads and writes: run directories and their scores, checkpoints,
// models, adapters, files of tensors, and data sets. It reads all of it, changes nothing and takes no lock.
package verify

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// Kind says what a path holds.
type Kind string

// The kinds.
const (
	Run        Kind = "run directory"
	Runs       Kind = "folder of runs"
	Scores     Kind = "scores of an untuned model"
	Checkpoint Kind = "checkpoint"
	Adapter    Kind = "adapter"
	Model      Kind = "speech model"
	Tensors    Kind = "file of tensors"
	Data       Kind = "data set"
)

// Verdict judges a part.
type Verdict string

// The verdicts.
const (
	OK    Verdict = "ok"
	Note  Verdict = "note"  // unusual, and may be right
	Wrong Verdict = "wrong" // damaged, or it contradicts another part
)

// Part is a file, or several that belong together, and what was found there.
type Part struct {
	Name    string  `json:"part"` // path below the one that is verified, or the name of a story or subject
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
}

// Report is what a look at a path found.
type Report struct {
	Schema    int         `json:"schema"`
	Path      string      `json:"path"`
	Kind      Kind        `json:"kind"`
	Verdict   Verdict     `json:"verdict"` // the worst of the parts
	Parts     []Part      `json:"parts"`
	Stories   []Story     `json:"stories,omitempty"`   // of a data set
	Responses []Responses `json:"responses,omitempty"` // of a data set
	Subjects  []Subject   `json:"subjects,omitempty"`  // of a data set

	below string // the folder of the parts, which messages leave out
}

const op = "verify"

// Path verifies what is at path, whatever its kind. Damage is in the report. The error is of a path that does not
// exist, is of no known kind, or cannot be read, and of a context that ended.
func Path(ctx context.Context, path string) (*Report, error) {
	kind, err := kindOf(path)
	if err != nil {
		return nil, err
	}
	r := &Report{Schema: 1, Path: path, Kind: kind, Verdict: OK, Parts: []Part{}, below: folder(path)}
	look := map[Kind]func(context.Context, string) error{Run: r.run, Runs: r.runs, Scores: r.scoresOnly,
		Checkpoint: r.checkpoint, Adapter: r.adapter, Model: r.model, Tensors: r.tensors, Data: r.data}[kind]
	if err := look(ctx, path); err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	for _, p := range r.Parts {
		if p.Verdict == Wrong || p.Verdict == Note && r.Verdict == OK {
			r.Verdict = p.Verdict
		}
	}
	return r, nil
}

// folder returns the folder at path, or that of a file, with a slash at its end.
func folder(path string) string {
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		path = filepath.Dir(path)
	}
	return filepath.Clean(path) + "/"
}

// Err returns an error of kind BadData if a part is wrong.
func (r *Report) Err() error {
	wrong := 0
	for _, p := range r.Parts {
		if p.Verdict == Wrong {
			wrong++
		}
	}
	if wrong == 0 {
		return nil
	}
	return fault.New(fault.BadData, op, r.Path, "%s, of which %d of %d parts are wrong", r.Kind, wrong, len(r.Parts))
}

func (r *Report) add(name string, v Verdict, found string, args ...any) {
	r.Parts = append(r.Parts, Part{name, v, fmt.Sprintf(found, args...)})
}

// judge adds a part: wrong with an error, unless the same is listed already, else ok with what was found.
func (r *Report) judge(name string, err error, found string, args ...any) {
	if err != nil {
		text := strings.ReplaceAll(message(err), r.below, "")
		if !slices.ContainsFunc(r.Parts, func(p Part) bool { return p.Found == text }) {
			r.add(name, Wrong, "%s", text)
		}
		return
	}
	r.add(name, OK, found, args...)
}

// message returns what an error says after its operation.
func message(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && err == error(f) {
		without := *f
		without.Op = ""
		return without.Error()
	}
	return err.Error()
}

// kindOf tells what a path holds from the names in it.
func kindOf(path string) (Kind, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.Wrap(fault.Missing, op, path, err)
	}
	if !info.IsDir() {
		return kindOfFile(path)
	}
	for _, sign := range []struct {
		kind  Kind
		names []string
	}{
		{Run, []string{"config.yaml", "ckpt"}},
		{Data, []string{"dataset.yaml"}},
		{Checkpoint, []string{"MANIFEST.json", "state.json"}},
		{Adapter, []string{"adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"}},
		{Model, []string{"config.json", "model.safetensors", "pytorch_model.bin"}},
		{Scores, []string{"eval/summary.json", "eval/test"}},
		{Runs, []string{"*/config.yaml"}},
	} {
		if slices.ContainsFunc(sign.names, func(name string) bool {
			found, _ := filepath.Glob(filepath.Join(escape(path), name)) // the pattern is well formed
			return len(found) > 0
		}) {
			return sign.kind, nil
		}
	}
	return "", unknown(path, "holds none of the files by which a run, a model, an adapter or a data set is known")
}

// kindOfFile tells what a file holds from its name.
func kindOfFile(path string) (Kind, error) {
	switch filepath.Ext(path) {
	case ".yaml", ".yml":
		return Data, nil
	case ".safetensors", ".bin", ".pt", ".pth", ".ckpt":
		return Tensors, nil
	}
	if kind := sniff.File(path); kind != "" {
		return "", unknown(path, "is "+string(kind))
	}
	return "", unknown(path, "is a file of no known kind")
}

func unknown(path, why string) error {
	return fault.New(fault.BadData, op, path, "%s", why).WithHint("name a run directory, a checkpoint, a model's or " +
		"an adapter's folder, a file of tensors, or a data set")
}

// escape quotes what a glob would not take as it is.
func escape(path string) string {
	var out []rune
	for _, c := range path {
		if slices.Contains([]rune(`*?[\`), c) {
			out = append(out, '\\')
		}
		out = append(out, c)
	}
	return string(out)
}
