package windows

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"os"
	"runtime"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/torch"
)

// Fingerprint is a hash of everything that frames or vectors are computed from: this program, libtorch, processor and
// number of threads, which affect the last bits; the weights below; the samples; the cuts; the pooling.
type Fingerprint struct {
	Key   activations.Key
	About string
}

// PrintFrames returns the fingerprint of the frames of a group.
func (f *Frozen) PrintFrames(st *Stimulus, key FrameKey) Fingerprint {
	h := f.begin(key.Depth)
	fmt.Fprintf(h, "frames of depth %d, rounded %v\n", key.Depth, f.Half)
	f.cut(h, st, key.Clips)
	what := "front end"
	if key.Depth > 0 {
		what = fmt.Sprintf("hidden state %d", key.Depth-1)
	}
	return finish(h, "%s, clips %d to %d: %s", st.Name, key.Clips.From, key.Clips.To, what)
}

// PrintVectors returns the fingerprint of the vectors of a story.
func (f *Frozen) PrintVectors(st *Stimulus, key VectorKey) Fingerprint {
	h := f.begin(key.Layer + 1)
	fmt.Fprintf(h, "vectors of %s at %d, last %v, rounded %v\n", key.Pooling, key.Layer, key.Last, f.Half)
	for _, g := range st.Groups {
		f.cut(h, st, g)
	}
	return finish(h, "%s, %d windows: %s of hidden state %d", st.Name, key.Windows, key.Pooling, key.Layer)
}

func finish(h hash.Hash, about string, args ...any) (p Fingerprint) {
	h.Sum(p.Key[:0])
	p.About = fmt.Sprintf(about, args...)
	return p
}

// begin starts a hash with everything that does not depend on the story.
func (f *Frozen) begin(depth int) hash.Hash {
	if f.salt == "" {
		mode := f.Model.Session()
		f.salt = fmt.Sprintf("bwlm frozen 1\n%s\nlibtorch %s, %d threads, %v, %v\n%s\n%s\n", program(), torch.Version(),
			torch.Threads(),
			mode.Device, mode.Compute, processor(), f.Model.Fingerprint())
	}
	h := sha256.New()
	fmt.Fprint(h, f.salt)
	h.Write(f.weights(depth))
	return h
}

// weights returns the hash of the weights of the model below a depth. It is computed once.
func (f *Frozen) weights(depth int) []byte {
	if sum := f.sums[depth]; sum != nil {
		return sum
	}
	h := sha256.New()
	for name, p := range f.Model.Store().Params() {
		if f.Model.FrozenDepth(name) >= depth {
			continue
		}
		fmt.Fprintln(h, name, p.Shape(), p.DType())
		h.Write(p.Bytes())
	}
	if f.sums == nil {
		f.sums = map[int][]byte{}
	}
	f.sums[depth] = h.Sum(nil)
	return f.sums[depth]
}

// cut adds the samples of consecutive clips to a hash, and where each clip begins and ends.
func (f *Frozen) cut(h hash.Hash, st *Stimulus, clips design.Rows) {
	first, last := st.Clips[clips.From].Start, 0
	fmt.Fprintf(h, "normalised %v, read", f.Normalise)
	for _, c := range st.Clips[clips.From:clips.To] {
		last = max(last, c.End)
		fmt.Fprintf(h, " %d:%d", c.Start-first, c.End-first)
		for _, w := range st.Windows[c.Windows.From:c.Windows.To] {
			fmt.Fprintf(h, ",%d:%d", w.Start-first, w.End-first)
		}
	}
	fmt.Fprintln(h)
	_, _ = elements.Write(h, st.read(context.Background(), first, last)) // a hash takes everything
}

// program returns the hash of the files of this program, since two builds of changed code may have the same version.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	h := sha256.New()
	for _, file := range []string{path, torch.BindingFile()} {
		if file == "" {
			continue
		}
		if err := addFile(h, file); err != nil {
			return "unknown"
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func addFile(h hash.Hash, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(h, f)
	return err
}

// processor returns the name and the features of the processor, with the variables that limit their use by libtorch.
func processor() string {
	out := runtime.GOARCH
	for key, value := range proc.CPU() {
		if key == "model name" || key == "flags" || key == "Features" {
			out += "\n" + key + ": " + value
		}
	}
	for _, limit := range []string{"ATEN_CPU_CAPABILITY", "DNNL_MAX_CPU_ISA", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR",
		"MKL_ENABLE_INSTRUCTIONS"} {
		out += "\n" + limit + "=" + os.Getenv(limit)
	}
	return out
}
