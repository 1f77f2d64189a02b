package ckpt

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const readTorch = "read PyTorch file"

// Limits of what a PyTorch file holds besides tensors.
const (
	maxSettings     = 1 << 14
	maxSettingDepth = 8
	maxGroupName    = 64 // bytes of the name of a dictionary that holds tensors
	maxViews        = 2  // all tensors together may have this many times the bytes of the file
)

// OpenTorch opens a file by torch.save (.bin, .pt): a dictionary of tensors, or one that holds such
// dictionaries and plain settings. A tensor within a dictionary within the file is named
// GROUP.NAME; the settings are in [File.Settings]. The file's pickle is never run: an interpreter
// of tensors, dictionaries, lists, text and numbers reads it, and a file that needs anything else
// is refused. The caller closes the File.
func OpenTorch(path string) (*File, error) { return open(path, readTorch, decodeTorch) }

// decodeTorch is OpenTorch for the bytes of r, size in all. Errors call them name. Closing the File
// closes r if it is an io.Closer.
func decodeTorch(r io.ReaderAt, size int64, name string) (*File, error) {
	c, err := readContent(r, size)
	if err != nil {
		return nil, wrongKind(readTorch, name, r, size, err)
	}
	f := &File{index: make(map[string]int, len(c.tensors)), settings: c.settings}
	return f, f.add(&shard{name, r, readTorch}, c.tensors)
}

// Settings returns what a PyTorch file holds besides tensors: nil, bool, int64, float64, string,
// []any and map[string]any by name. It is nil for other files.
func (f *File) Settings() map[string]any { return maps.Clone(f.settings) }

// openStateDict opens a PyTorch file that holds tensors alone.
func openStateDict(path string) (*File, error) {
	f, err := OpenTorch(path)
	if err != nil {
		return nil, err
	}
	if len(f.settings) > 0 {
		f.Close()
		return nil, fault.New(fault.BadData, readTorch, quote.OneLine(path),
			"holds more than the tensors of one model").
			WithHint("if it is Microsoft's own file of a WavLM, convert it first")
	}
	return f, nil
}

// content is what a PyTorch file holds.
type content struct {
	tensors  []TensorInfo
	settings map[string]any
	left     int // settings that may still follow
}

func readContent(r io.ReaderAt, size int64) (*content, error) {
	a, err := readArchive(r, size)
	if err != nil {
		return nil, err
	}
	text, err := a.text(a.members["data.pkl"], maxPickle)
	if err != nil {
		return nil, err
	}
	value, err := unpickle(text, &tensorMaker{a, map[string]*storage{}})
	if err != nil {
		return nil, err
	}
	d, ok := value.(*pickle.Dict)
	if !ok {
		return nil, errors.New("holds no dictionary of tensors")
	}
	c := &content{settings: map[string]any{}, left: maxSettings}
	if err := c.addDict(d); err != nil {
		return nil, err
	}
	return c, c.checkSize(size)
}

// addDict adds the file's dictionary.
func (c *content) addDict(d *pickle.Dict) error {
	for _, key := range d.Keys {
		group, nested := d.Items[key].(*pickle.Dict)
		switch {
		case !nested:
			if err := c.add(c.settings, key, key, d.Items[key]); err != nil {
				return err
			}
			continue
		case len(key) > maxGroupName:
			return fmt.Errorf("the name %s of a dictionary has more than %d bytes", quote.OneLine(quote.Short(key)),
				maxGroupName)
		}
		settings := map[string]any{}
		c.settings[key] = settings
		for _, name := range group.Keys {
			if err := c.add(settings, name, key+"."+name, group.Items[name]); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds a tensor under its full name, or a setting.
func (c *content) add(settings map[string]any, key, name string, value any) (err error) {
	t, isTensor := value.(*TensorInfo)
	if !isTensor {
		settings[key], err = c.setting(value, 0)
		if err != nil {
			return fmt.Errorf("%s: %w", quote.OneLine(quote.Short(name)), err)
		}
		return nil
	}
	if err := checkName(name); err != nil {
		return &tensorError{name, err}
	}
	if len(c.tensors) == maxTensors {
		return fmt.Errorf("more than %d tensors", maxTensors)
	}
	named := *t
	named.Name = name
	c.tensors = append(c.tensors, named)
	return nil
}

// setting copies a plain value, so that no part of it is shared.
func (c *content) setting(value any, depth int) (any, error) {
	if c.left--; c.left < 0 || depth > maxSettingDepth {
		return nil, fmt.Errorf("more than %d settings, or more than %d in each other", maxSettings, maxSettingDepth)
	}
	list := func(items []any) (any, error) {
		out := make([]any, len(items))
		for i, item := range items {
			var err error
			if out[i], err = c.setting(item, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	switch v := value.(type) {
	case nil, bool, int64, float64:
		return v, nil
	case string:
		return strings.Clone(v), nil // so that the pickle can be freed
	case pickle.Tuple:
		return list(v)
	case *pickle.List:
		return list(v.Items)
	case *pickle.Dict:
		out := make(map[string]any, len(v.Keys))
		for _, key := range v.Keys {
			item, err := c.setting(v.Items[key], depth+1)
			if err != nil {
				return nil, err
			}
			out[strings.Clone(key)] = item
		}
		return out, nil
	}
	return nil, errors.New("is neither a tensor nor a plain setting, or a tensor too deep in the file")
}

// checkSize refuses views of the same storage that together are many times the file.
func (c *content) checkSize(size int64) error {
	left := maxViews * size
	for _, t := range c.tensors {
		if left -= max(t.size(), t.span()); left < 0 {
			return &advised{fmt.Errorf("its tensors have more than %d times the bytes of the file", maxViews), distrust}
		}
	}
	return nil
}
