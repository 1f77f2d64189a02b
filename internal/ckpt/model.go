package ckpt

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// container is a form in which a folder may hold the weights of a model.
type container struct {
	file   string // its name in Hugging Face's libraries
	suffix string // of shards
	open   func(path string) (*File, error)
}

// index is the name of the file that maps each tensor to its shard.
func (c container) index() string { return c.file + ".index.json" }

// containers are the forms that can be read, the preferred one first.
var containers = []container{
	{"model.safetensors", ".safetensors", Open},
	{"pytorch_model.bin", ".bin", openStateDict},
}

const incomplete = "get the model again, all its files from one place"

// maxIndex is the size of the largest shard index that is read.
const maxIndex = 64 << 20

// OpenModel opens the weights in a model's folder: the first of model.safetensors, the shards named
// by model.safetensors.index.json, pytorch_model.bin, and the shards named by
// pytorch_model.bin.index.json. Each shard must hold exactly the tensors that the index places in
// it. Files may be links out of the folder, as in Hugging Face's cache, but an index may name
// nothing outside the folder.
func OpenModel(dir string) (*File, error) {
	if err := checkDir(dir); err != nil {
		return nil, err
	}
	for _, c := range containers {
		switch {
		case exists(dir, c.file):
			return c.open(filepath.Join(dir, c.file))
		case exists(dir, c.index()):
			return openShards(dir, c)
		}
	}
	return nil, fault.New(fault.Missing, readModel, quote.OneLine(dir), "has neither %s nor %s, whole or in shards",
		containers[0].file, containers[1].file).
		WithHint("name the folder that holds the model's config.json and weights")
}

func checkDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return readError(readModel, dir, err)
	}
	if !info.IsDir() {
		return fault.New(fault.BadData, readModel, quote.OneLine(dir), "is a file, want a model's folder").
			WithHint("name the folder it is in")
	}
	return nil
}

// exists reports whether dir has an entry called name, which may be a dangling link.
func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// openShards opens the shards of the index in dir, in the order of their names.
func openShards(dir string, c container) (f *File, err error) {
	path := filepath.Join(dir, c.index())
	want, err := readIndex(path, c.suffix)
	if err != nil {
		return nil, err
	}
	f = &File{index: make(map[string]int, len(want))}
	defer func() {
		if err != nil {
			f.Close() // the first error is the one to report
			f = nil
		}
	}()
	for _, name := range slices.Compact(slices.Sorted(maps.Values(want))) {
		if !exists(dir, name) {
			return f, fault.New(fault.BadData, readModel, quote.OneLine(path), "shard %s is not in the folder", name).
				WithHint(incomplete)
		}
		one, err := c.open(filepath.Join(dir, name))
		if err != nil {
			return f, err
		}
		if err := f.add(one.shards[0], one.tensors); err != nil {
			return f, err
		}
		if f.metadata == nil {
			f.metadata = one.metadata
		}
		for _, t := range one.tensors {
			if want[t.Name] != name {
				return f, fault.New(fault.BadData, readModel, one.Where(t.Name), "%s does not place this tensor here",
					c.index()).WithHint(incomplete)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := f.index[name]; !ok {
			return f, fault.New(fault.BadData, readModel, place(path, name), "the tensor is not in shard %s",
				want[name]).WithHint(incomplete)
		}
	}
	return f, nil
}

// readIndex reads which shard each tensor is in. The names of shards end in suffix.
func readIndex(path, suffix string) (map[string]string, error) {
	text, err := inputfile.Read(readModel, path, maxIndex)
	if err != nil {
		return nil, err
	}
	index, err := parseIndex(text, suffix)
	if err != nil {
		if other := sniff.Other(readModel, path, sniff.Bytes(text), "JSON", sniff.JSON); other != nil {
			return nil, other
		}
		return nil, readError(readModel, path, err)
	}
	return index, nil
}

// parseIndex reads the weight_map of an index. Each value must be the plain name of a file.
func parseIndex(text []byte, suffix string) (map[string]string, error) {
	s, err := newJSONScanner(text)
	if err != nil {
		return nil, err
	}
	var index map[string]string
	err = s.object(func(key string) error {
		if key != "weight_map" {
			return s.skip(0)
		}
		index = map[string]string{}
		return s.object(func(tensor string) error {
			file, err := s.string()
			if err != nil {
				return err
			}
			index[tensor] = file
			if err := checkName(tensor); err != nil {
				return &tensorError{tensor, err}
			}
			if !isPlainName(file, suffix) {
				why := "the shard " + quote.OneLine(quote.Short(file)) + " is not the plain name of a file " + suffix
				return &tensorError{tensor, errors.New(why)}
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	if s.peek(); s.pos < len(text) {
		return nil, s.fail("%q after the end", text[s.pos])
	}
	if len(index) == 0 {
		return nil, errors.New("there is no weight_map, or an empty one")
	}
	return index, nil
}

// isPlainName reports whether name is a file in the same folder on every operating system.
func isPlainName(name, suffix string) bool {
	return len(name) <= 255 && strings.HasSuffix(name, suffix) &&
		!strings.ContainsAny(name, `/\:`) && quote.OneLine(name) == name
}
