package publish

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

const op = "publish run"

// Options are what a publisher says of a run. All but BaseRevision must be given.
type Options struct {
	Base         string // the untuned model, such as microsoft/wavlm-base-plus
	BaseRevision string // of it, "" if that is unknown
	BaseLicence  string // SPDX identifier, such as mit
	Data         string // the data set, as others may cite it
	DataLicence  string // SPDX identifier, such as cc-by-4.0
}

// Package says what was written.
type Package struct {
	Schema  int      `json:"schema"`
	Out     string   `json:"out"`
	Files   []File   `json:"files"`
	Aliases []string `json:"aliases"` // of the subjects, in the order of Subjects

	// Subjects are the names behind the aliases. They are not in the package.
	Subjects []string `json:"subjects"`
}

// File is a file of the package, and what its use is bound by.
type File struct {
	Name    string `json:"name"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	From    string `json:"from"`    // "publisher" of settings and texts, or "base model and data" of weights
	Licence string `json:"licence"` // an expression of SPDX
}

// identifier is what a licence and a name of a model may be, so that no text of another kind gets in by them.
var (
	identifier = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.+-]*$`)
	modelName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?$`)
	oneLine    = regexp.MustCompile(`^[^\x00-\x1f\x7f<>]{1,200}$`)
)

func (o Options) check() error {
	for _, f := range []struct {
		what, value string
		form        *regexp.Regexp
	}{
		{"the name of the base model", o.Base, modelName},
		{"the revision of the base model", cmp.Or(o.BaseRevision, "unknown"), identifier},
		{"the licence of the base model", o.BaseLicence, identifier},
		{"the name of the data set", o.Data, oneLine},
		{"the licence of the data", o.DataLicence, identifier},
	} {
		if !f.form.MatchString(f.value) {
			return fault.New(fault.Usage, op, "", "%s is %q", f.what, f.value).
				WithHint("a model is ORGANISATION/NAME, a licence an SPDX identifier such as cc-by-4.0, " +
					"a data set one line")
		}
	}
	return nil
}

// Write makes the package of a run as a new folder, which appears complete or not at all.
func Write(ctx context.Context, run, out string, opt Options) (*Package, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	if err := rundir.CheckFiles(op, run); err != nil {
		return nil, err
	}
	exp, err := experiment.LoadRun(filepath.Join(run, rundir.ConfigFile))
	if err != nil {
		return nil, err
	}
	if exp.Train.Mode == experiment.TrainFull {
		return nil, fault.New(fault.Usage, op, run,
			"it tuned the whole model, so that a package would hold that model's weights").
			WithHint("publish a run of train.mode lora or readout")
	}
	p := &Package{Schema: 1, Out: out}
	err = atomicfile.Dir(out, func(dir string) error {
		w := writer{ctx: ctx, run: run, dir: dir, opt: opt, exp: exp, out: p}
		return w.all()
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

type writer struct {
	ctx      context.Context
	run, dir string
	opt      Options
	exp      *experiment.Experiment
	out      *Package
}

func (w *writer) all() error {
	for _, step := range []func() error{w.config, w.manifest, w.readouts, w.adapter, w.card, w.list} {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// config writes the keys that a prediction follows from. The others have their defaults, or names that stand for
// nothing.
func (w *writer) config() error {
	from, e := w.exp, experiment.Default()
	e.Model = experiment.Model{
		Path: "base", Layer: from.Model.Layer, WindowSeconds: from.Model.WindowSeconds,
		StrideSeconds: from.Model.StrideSeconds, Extraction: from.Model.Extraction,
		ChunkSeconds: from.Model.ChunkSeconds, Pooling: from.Model.Pooling, Normalise: from.Model.Normalise,
		Context: from.Model.Context, Downsample: from.Model.Downsample, ClipWindow: from.Model.ClipWindow,
	}
	e.Readout.Mode, e.Readout.LayerWeights = from.Readout.Mode, from.Readout.LayerWeights
	e.Readout.Bottleneck, e.Readout.DelaysSeconds = from.Readout.Bottleneck, from.Readout.DelaysSeconds
	e.Train.Mode, e.Train.UnitWindows = from.Train.Mode, from.Train.UnitWindows
	e.Compat.TimesAtTRStarts, e.Compat.ClipLanczos = from.Compat.TimesAtTRStarts, from.Compat.ClipLanczos
	e.DType = from.DType
	e.Data.Path, e.Data.Subjects = "not-published", []string{"all"}
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"train"}, []string{"val"}, []string{"test"}
	e.Out = "not-published"
	return atomicfile.Write(filepath.Join(w.dir, rundir.ConfigFile), e.Write)
}

// manifest writes the identity of the base model, against which a predictor checks the one that it is given.
func (w *writer) manifest() error {
	var m results.Manifest
	if err := jsonfile.Read(op, filepath.Join(w.run, rundir.ManifestOfRun), &m); err != nil {
		return err
	}
	if err := results.CheckSchema(filepath.Join(w.run, rundir.ManifestOfRun), m.Schema); err != nil {
		return err
	}
	return jsonfile.Write(filepath.Join(w.dir, rundir.ManifestOfRun), struct {
		Schema int    `json:"schema"`
		Base   string `json:"base_sha256"`
	}{m.Schema, m.Base})
}

// list writes LICENCES.json: each file with its hash and what binds its use.
func (w *writer) list() error {
	names, err := filesBelow(w.dir)
	if err != nil {
		return fault.Wrap(fault.IO, op, w.dir, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			return fault.Wrap(fault.IO, op, name, err)
		}
		sum := sha256.Sum256(data)
		f := File{Name: filepath.ToSlash(name), Bytes: int64(len(data)), SHA256: hex.EncodeToString(sum[:]),
			From: "publisher", Licence: w.opt.DataLicence}
		if filepath.Ext(name) == ".safetensors" {
			f.From, f.Licence = "base model and data", w.opt.licences()
		}
		w.out.Files = append(w.out.Files, f)
	}
	return jsonfile.Write(filepath.Join(w.dir, licencesFile), struct {
		Schema   int      `json:"schema"`
		Base     string   `json:"base_model"`
		Revision string   `json:"base_revision,omitempty"`
		BaseBy   string   `json:"base_licence"`
		Data     string   `json:"data"`
		DataBy   string   `json:"data_licence"`
		Aliases  []string `json:"predictors"`
		Files    []File   `json:"files"`
	}{1, w.opt.Base, w.opt.BaseRevision, w.opt.BaseLicence, w.opt.Data, w.opt.DataLicence, w.out.Aliases, w.out.Files})
}

const licencesFile = "LICENCES.json"

// licences is what binds whoever uses weights that came of base model and data.
func (o Options) licences() string {
	both := []string{o.BaseLicence, o.DataLicence}
	if both[0] == both[1] {
		return both[0]
	}
	return fmt.Sprintf("%s AND %s", both[0], both[1])
}

// filesBelow returns the files below a folder in order.
func filesBelow(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		names = append(names, rel)
		return err
	})
	slices.Sort(names)
	return names, err
}
