package windows

import (
	"encoding/binary"
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/torch"
)

// Cache is the activation cache: frames of clips and vectors of stories, in memory up to a budget, first come first
// served, and on disk for the rest and for other runs. A nil cache is empty.
type Cache struct {
	arena  *torch.Arena
	Budget int64 // bytes left
	Groups map[FrameKey]*torch.Tensor
	read   map[VectorKey][]float32
	disk   *activations.Store // may be nil
	warn   func(error)
}

// FrameKey names the frames of a group of clips at a depth.
type FrameKey struct {
	Story string
	Clips design.Rows
	Depth int
}

// VectorKey names the vectors of all windows of a story at a hidden state of the untuned model.
type VectorKey struct {
	Story   string
	Windows int
	Layer   int
	Pooling experiment.Pooling
	// from the last layer of a pass, which computes only the frames that are read: its last bits may differ
	Last bool
}

func NewCache(budget int64, disk *activations.Store, warn func(error)) *Cache {
	return &Cache{torch.NewArena(), budget, map[FrameKey]*torch.Tensor{}, map[VectorKey][]float32{}, disk, warn}
}

// Frames returns the frames of a group, or nil. print returns their fingerprint on disk.
func (c *Cache) Frames(s *torch.Scope, key FrameKey, print func() Fingerprint) *torch.Tensor {
	if c == nil {
		return nil
	}
	if kept := c.Groups[key]; kept != nil {
		return s.Attach(kept)
	}
	if c.disk == nil {
		return nil
	}
	e := c.load(print())
	if e == nil {
		return nil
	}
	x := s.FromBytes(dtypes[e.DType], e.Data, e.Shape...)
	c.keep(key, x)
	return x
}

// PutFrames stores the frames of a group where there is room.
func (c *Cache) PutFrames(key FrameKey, x *torch.Tensor, print func() Fingerprint) {
	if c == nil {
		return
	}
	c.keep(key, x)
	if c.disk != nil {
		p := print()
		c.store(p, activations.Entry{About: p.About, DType: names[x.DType()], Shape: x.Shape(), Data: x.Bytes()})
	}
}

func (c *Cache) keep(key FrameKey, x *torch.Tensor) {
	if size := int64(x.Len() * x.DType().Size()); size <= c.Budget {
		c.Budget -= size
		c.Groups[key] = c.arena.Keep(x)
	}
}

// Vectors returns the vectors (windows, E) of a story, or nil.
func (c *Cache) Vectors(key VectorKey, width int, print func() Fingerprint) []float32 {
	if c == nil {
		return nil
	}
	if x := c.read[key]; x != nil || c.disk == nil {
		return x
	}
	e := c.load(print())
	if e == nil || len(e.Data) != 4*key.Windows*width {
		return nil
	}
	x := make([]float32, len(e.Data)/4)
	for i := range x {
		x[i] = math.Float32frombits(binary.LittleEndian.Uint32(e.Data[4*i:]))
	}
	c.keepVectors(key, x)
	return x
}

// AllVectors returns the vectors of all keys if all are in memory, else nil.
func (c *Cache) AllVectors(keys []VectorKey) (out [][]float32) {
	for _, key := range keys {
		if c == nil || c.read[key] == nil {
			return nil
		}
		out = append(out, c.read[key])
	}
	return out
}

// PutVectors stores the vectors of a story where there is room.
func (c *Cache) PutVectors(key VectorKey, x []float32, print func() Fingerprint) {
	if c == nil {
		return
	}
	c.keepVectors(key, x)
	if c.disk != nil {
		data := make([]byte, 0, 4*len(x))
		for _, v := range x {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		p := print()
		c.store(p, activations.Entry{About: p.About, DType: "F32", Shape: []int{key.Windows, len(x) / key.Windows},
			Data: data})
	}
}

func (c *Cache) keepVectors(key VectorKey, x []float32) {
	if size := int64(4 * len(x)); size <= c.Budget {
		c.Budget -= size
		c.read[key] = x
	}
}

// load reads from disk. An entry that cannot be read is a warning, and is computed again.
func (c *Cache) load(p Fingerprint) *activations.Entry {
	e, err := c.disk.Get(p.Key)
	if err != nil {
		c.warn(err)
	}
	return e
}

// store writes to disk. A failure is a warning.
func (c *Cache) store(p Fingerprint, e activations.Entry) {
	if _, err := c.disk.Put(p.Key, e); err != nil {
		c.warn(err)
	}
}

func (c *Cache) Close() {
	if c != nil {
		c.arena.Close()
	}
}

// dtypes and names are the types of frames on disk.
var (
	dtypes = map[string]torch.DType{"F32": torch.Float32, "BF16": torch.BFloat16}
	names  = map[torch.DType]string{torch.Float32: "F32", torch.BFloat16: "BF16"}
)
