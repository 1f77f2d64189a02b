package finished

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Places is where voxels are.
type Places struct {
	Left, Right *cortex.Surface // either may be nil
	Vertices    []int           // of each voxel; nil: voxel k is vertex k
	Volume      *cortex.Volume  // of a volume, else nil

	Files []results.ManifestInput // that surfaces or mask came from
}

// readPlaces reads surfaces or mask of each subject. The run has places of its own if all subjects have the same.
func (r *Run) readPlaces(of func(subject string) (dataset.Places, error)) error {
	read := map[string]*Places{}
	for i := range r.Subjects {
		s := &r.Subjects[i]
		p, err := of(s.Name)
		if err != nil {
			return err
		}
		name := fmt.Sprint(p)
		if _, known := read[name]; !known {
			if read[name], err = r.places(p); err != nil {
				return err
			}
		}
		s.Places = read[name]
	}
	if len(read) == 1 {
		r.Places = r.Subjects[0].Places
	}
	return nil
}

// places reads surfaces or mask; nil if there are none. Files that are no longer there are no error.
func (r *Run) places(p dataset.Places) (*Places, error) {
	out := &Places{Vertices: p.Vertices}
	for _, path := range []string{p.Left, p.Right, p.Mask} {
		if _, err := os.Stat(path); path != "" && os.IsNotExist(err) {
			r.Absent = append(r.Absent, NoMaps+"the data set's "+ShortPath(path)+" is not there")
			return nil, nil
		}
	}
	var err error
	if p.Left != "" {
		out.Left, err = cortex.ReadSurface(p.Left)
	}
	if err == nil && p.Right != "" {
		out.Right, err = cortex.ReadSurface(p.Right)
	}
	if err == nil && p.Mask != "" {
		order := cortex.ZFastest
		if p.XFastest {
			order = cortex.XFastest
		}
		out.Volume, err = cortex.ReadMask(p.Mask, order)
	}
	if err != nil {
		return nil, err
	}
	for _, path := range []string{p.Left, p.Right, p.Mask} {
		if path == "" {
			continue
		}
		f, err := hashed(path)
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, f)
	}
	if out.Size() == 0 {
		return nil, nil
	}
	return out, nil
}

// Placed reports whether the places of any subject's voxels are known.
func (r *Run) Placed() bool {
	return slices.ContainsFunc(r.Subjects, func(s Subject) bool { return s.Places != nil })
}

// FilesOfPlaces lists the files that the subjects' places came from, each once.
func (r *Run) FilesOfPlaces() (files []results.ManifestInput) {
	for _, s := range r.Subjects {
		if s.Places == nil {
			continue
		}
		for _, f := range s.Places.Files {
			if !slices.Contains(files, f) {
				files = append(files, f)
			}
		}
	}
	return files
}

// hashed returns the hash of a file.
func hashed(path string) (f results.ManifestInput, err error) {
	file, err := os.Open(path)
	if err != nil {
		return f, fault.Wrap(fault.IO, reading, path, err)
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return f, fault.Wrap(fault.IO, reading, path, err)
	}
	return results.ManifestInput{Path: path, Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// Size is the number of vertices, or of voxels of a volume.
func (p *Places) Size() int {
	if p.Volume != nil {
		return len(p.Volume.Voxels)
	}
	return points(p.Left) + points(p.Right)
}

func points(s *cortex.Surface) int {
	if s == nil {
		return 0
	}
	return len(s.Points)
}

// At returns the place of a voxel, and whether there is one.
func (p *Places) At(voxel int) (int, bool) {
	if p.Vertices != nil {
		if voxel >= len(p.Vertices) {
			return 0, false
		}
		voxel = p.Vertices[voxel]
	}
	return voxel, voxel < p.Size()
}

// Fits reports whether n voxels all have places.
func (p *Places) Fits(voxels int) bool {
	if p == nil {
		return false
	}
	if p.Vertices == nil {
		return voxels == p.Size()
	}
	return voxels == len(p.Vertices) && slices.Max(p.Vertices) < p.Size()
}

// Spread puts one number for each voxel in its place, NaN elsewhere; several voxels of one place are averaged.
func (p *Places) Spread(x []float32) []float32 {
	out, count := make([]float32, p.Size()), make([]float32, p.Size())
	for v, r := range x {
		if at, ok := p.At(v); ok && r == r {
			out[at] += r
			count[at]++
		}
	}
	for i := range out {
		out[i] /= count[i] // 0/0 is NaN
	}
	return out
}

// Mean returns the mean of a map over the subjects whose voxels are in the run's places; nil if there is none.
func (r *Run) Mean(of func(*Subject) []float32) []float32 {
	var out, count []float32
	for i := range r.Subjects {
		p := &r.Subjects[i]
		x := of(p)
		if x == nil || !r.Places.Fits(p.Voxels) {
			continue
		}
		if out == nil {
			out, count = make([]float32, p.Voxels), make([]float32, p.Voxels)
		}
		for v, y := range x {
			if y == y {
				out[v] += y
				count[v]++
			}
		}
	}
	for v := range out {
		out[v] /= count[v]
	}
	return out
}
