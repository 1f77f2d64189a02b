package peft

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/hub"
	"github.com/brainwavlm/bwlm/torch"
)

// File names of PEFT.
const (
	ConfigFile  = "adapter_config.json"
	weightsFile = "adapter_model.safetensors"
	pickleFile  = "adapter_model.bin" // of PEFT before 0.7, and with safe_serialization=False
	cardFile    = "README.md"
)

// prefix starts every key of PEFT's files: the path of the model in PEFT's wrappers.
const prefix = "base_model.model."

const (
	loadAdapter = "load adapter"
	saveAdapter = "save adapter"
)

// Load reads an adapter from a folder that PEFT or Save wrote. Its parameters enter a model when a
// view is built with it; [Adapter.Check] then reports whether it fits.
func Load(dir string) (*Adapter, error) {
	f, err := Open(dir)
	if err != nil {
		return nil, err
	}
	return newAdapter(f.Config, f.state)
}

// readWeights reads the tensors of a folder.
func readWeights(dir string) (*state, error) {
	path, open := filepath.Join(dir, weightsFile), ckpt.Open
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if bin := filepath.Join(dir, pickleFile); exists(bin) {
			path, open = bin, ckpt.OpenTorch
		}
	}
	file, err := open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if len(file.Settings()) > 0 {
		return nil, fault.New(fault.BadData, loadAdapter, path, "holds more than an adapter's tensors").
			WithHint("save the adapter itself, with save_pretrained of PEFT")
	}
	return readState(file, path)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Save writes the adapter into a new folder: adapter_config.json, adapter_model.safetensors and its
// card, README.md. The folder appears complete or not at all. No training step may run at the same
// time. Equal adapters give equal bytes, and a loaded adapter keeps its paths. PiSSA and OLoRA are
// written as a plain LoRA of twice the rank, which has the same effect on the original model.
func (a *Adapter) Save(dir string) error { return atomicfile.Dir(dir, a.SaveInto) }

// SaveInto writes the adapter's files into an existing folder.
func (a *Adapter) SaveInto(dir string) error {
	if err := a.store.Err(); err != nil {
		return fault.Wrap(fault.Unavailable, saveAdapter, dir, err)
	}
	if err := a.Check(); err != nil {
		return err
	}
	f := a.File()
	if a.identity != nil { // of the model that it is in
		identity, err := a.identity()
		if err != nil {
			return err
		}
		f.state.base = identity
	}
	return f.saveInto(dir)
}

// File returns the adapter as Save writes it.
func (a *Adapter) File() *File {
	head := ""
	if a.file != nil {
		head = a.file.head()
	}
	cfg := a.Config
	if cfg.TargetModules.all() { // listed, as in PEFT, since a model with a head has more linear layers
		cfg.TargetModules = Modules{}
		for _, l := range a.layers {
			cfg.TargetModules.List = append(cfg.TargetModules.List, head+l.Path)
		}
	}
	var instead map[string]array
	if c, ok := cfg.Method.(converter); ok {
		cfg.Method, instead = c.convert(a)
	}
	st := newState("")
	if a.file != nil {
		st.base = a.file.base
	}
	for name, t := range a.store.Params() {
		v, ok := instead[name]
		if !ok {
			v = array{t.Shape(), floats(t)}
		}
		st.add(head+name, prefix+head+name, v)
	}
	for name, t := range a.frozen.Params() {
		st.add(name, name, array{t.Shape(), floats(t)})
	}
	return &File{Config: cfg, Card: a.Card, state: st}
}

// converter is a method that is saved as another one. convert returns that method and the
// parameters that differ, by name.
type converter interface {
	convert(a *Adapter) (Method, map[string]array)
}

// floats returns the numbers of a parameter.
func floats(t *torch.Tensor) []float32 {
	if t.DType() == torch.Float32 {
		return t.Float32s()
	}
	bytes, out := t.Bytes(), make([]float32, t.Len())
	for i := range out {
		switch t.DType() {
		case torch.BFloat16:
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(bytes[2*i:])) << 16)
		case torch.Float64:
			out[i] = float32(math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:])))
		default:
			torch.Failf(saveAdapter, "a parameter of type %s", t.DType())
		}
	}
	return out
}

// File is an adapter without a model, as a folder holds it.
type File struct {
	Config Config
	Card   Card

	state *state
}

// Open reads a folder that PEFT or Save wrote, for work without a model. Use [Load] to adapt a
// model.
func Open(dir string) (*File, error) {
	if err := hub.Check(loadAdapter, dir); err != nil {
		return nil, err
	}
	cfg, err := readConfigFile(dir)
	if err != nil {
		return nil, err
	}
	st, err := readWeights(dir)
	if err != nil {
		return nil, err
	}
	if st.base, err = basemodel.Read(loadAdapter, dir); err != nil {
		return nil, err
	}
	f := &File{Config: cfg, state: st}
	if r, ok := cfg.Method.(reader); ok {
		return f, r.become(f)
	}
	return f, nil
}

// Adapter returns an adapter with the file's parameters.
func (f *File) Adapter() (*Adapter, error) {
	st := newState(f.state.path)
	for _, name := range f.state.names {
		st.add(name, f.state.keys[name], f.state.tensors[name])
	}
	st.start, st.decided, st.base = f.state.start, f.state.decided, f.state.base
	a, err := newAdapter(f.Config, st)
	if err == nil {
		a.Card = f.Card
	}
	return a, err
}

// Save writes the file into a new folder, which appears complete or not at all.
func (f *File) Save(dir string) error { return atomicfile.Dir(dir, f.saveInto) }

func (f *File) saveInto(dir string) error {
	config, err := f.Config.json()
	if err != nil {
		return fault.Wrap(fault.Internal, saveAdapter, dir, err)
	}
	var tensors []ckpt.Tensor
	for _, name := range f.state.names {
		key := name
		if !strings.HasPrefix(name, sharedPrefix) {
			key = prefix + name
		}
		v := f.state.tensors[name]
		tensors = append(tensors, ckpt.NewTensor(key, v.shape, v.data))
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{ConfigFile, config}, {cardFile, []byte(f.readme())}} {
		path := filepath.Join(dir, file.name)
		if err := disk.WriteNew(path, file.text); err != nil {
			return fault.Wrap(fault.IO, saveAdapter, path, err)
		}
	}
	if f.state.base != "" {
		if err := basemodel.Write(dir, f.state.base); err != nil {
			return err
		}
	}
	return ckpt.Write(filepath.Join(dir, weightsFile), tensors, map[string]string{"format": "pt"})
}
