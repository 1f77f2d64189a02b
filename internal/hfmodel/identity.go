package hfmodel

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/elements"
)

// Origin is the folder of a model, shared by its views. Its identity is computed once.
type Origin struct {
	Dir string

	once     sync.Once
	identity string
	err      error
}

// Identity returns what hash returns for the folder; "" for a model without one.
func (o *Origin) Identity(hash func(dir string) (string, error)) (string, error) {
	if o == nil {
		return "", nil
	}
	o.once.Do(func() { o.identity, o.err = hash(o.Dir) })
	return o.identity, o.err
}

// HashWeights writes the parameters, in the order of their names, as float32.
func HashWeights(h io.Writer, file *ckpt.File, keys map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		info, _ := file.Info(keys[name])
		values, err := file.Float32(keys[name])
		if err != nil {
			return err
		}
		fmt.Fprintln(h, name, info.Shape)
		if _, err := elements.Write(h, values); err != nil {
			return err
		}
	}
	return nil
}
