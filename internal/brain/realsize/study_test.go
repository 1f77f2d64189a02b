package realsize

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// size is the shape of a study. Subjects share files by hard links.
type size struct{ Subjects, Stories, Rows, Voxels int }

const (
	tr     = 2.       // seconds
	delays = 4        // of 768 channels: 3072 features
	noise  = 1. / 10. // amplitude of the audio
)

// values returns the number of values of all responses of a subject.
func (z size) values() int64 { return int64(z.Stories) * int64(z.Rows) * int64(z.Voxels) }

func (z size) story(k int) string { return fmt.Sprintf("story%02d", k) }

func file(dir string, subject, story int) string {
	return filepath.Join(dir, fmt.Sprintf("s%d-%02d.npy", subject, story))
}

// mixed is the finaliser of SplitMix64.
func mixed(z uint64) uint64 {
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// response is the value of a voxel in a row of a story, in units of a scanner: near 1000, with an SD of 23.
func response(story, row, voxel int) float32 {
	x := mixed(mixed(uint64(story)<<32|uint64(row)) + uint64(voxel)*0x9E3779B97F4A7C15)
	sum := x&0xffff + x>>16&0xffff + x>>32&0xffff + x>>48
	return 1000 + float32(sum)*(80./(1<<18)) - 40
}

// write writes the responses of the first subject, and links those of the others to them.
func (z size) write(t *testing.T, dir string) {
	x := make([]float32, z.Rows*z.Voxels)
	for k := range z.Stories {
		parallel.Each(z.Rows, func(row int) {
			for v := range z.Voxels {
				x[row*z.Voxels+v] = response(k, row, v)
			}
		})
		require.NoError(t, npy.Write(file(dir, 0, k), []int{z.Rows, z.Voxels}, x))
		for s := 1; s < z.Subjects; s++ {
			require.NoError(t, os.Link(file(dir, 0, k), file(dir, s, k)))
		}
	}
}

// reads counts what is read of responses and of audio.
type reads struct {
	Calls, Values, Widest atomic.Int64 // of responses; values of the largest read
	Decoded               atomic.Int64 // stories
}

// counted is a Source that counts its reads.
type counted struct {
	rowsource.Source
	*reads
}

func (c counted) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	_, _, columns := c.Shape()
	n := int64((to - from) * columns)
	c.Calls.Add(1)
	c.Values.Add(n)
	c.Widest.Store(max(c.Widest.Load(), n))
	return c.Source.ReadRows(ctx, repeat, from, to, out)
}

// data describes the study. Audio is noise with a seed for each story, which is made when it is decoded.
func (z size) data(dir string, r *reads) dataset.Spec {
	spec := dataset.Spec{Name: "real size", TR: tr, RowTime: .5}
	seconds := float64(z.Rows) * tr
	for k := range z.Stories {
		spec.Stories = append(spec.Stories, dataset.Story{Name: z.story(k),
			Seconds: func(context.Context) (float64, error) { return seconds, nil },
			Audio: dataset.Input[[]float32]{Load: func(context.Context) ([]float32, error) {
				r.Decoded.Add(1)
				rng := rand.New(rand.NewPCG(uint64(k), 3))
				x := make([]float32, int(seconds*speech.SampleRate))
				for i := range x {
					x[i] = float32(noise * rng.NormFloat64())
				}
				return x, nil
			}}})
	}
	for s := range z.Subjects {
		subject := dataset.Subject{Name: fmt.Sprintf("s%d", s)}
		for k := range z.Stories {
			path := file(dir, s, k)
			subject.Responses = append(subject.Responses, dataset.Response{Story: z.story(k),
				Source: dataset.Input[dataset.Source]{Path: path, Load: func(context.Context) (dataset.Source, error) {
					source, err := rowsource.Open(path)
					return counted{source, r}, err
				}}})
		}
		spec.Subjects = append(spec.Subjects, subject)
	}
	return spec
}

// model writes a model of one wide layer behind narrow convolutions.
func writeModel(ctx context.Context, dir string) error {
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 768, 1, 12, 256, 16, 16
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	m, err := wavlm.Fresh(ctx, c, speech.Options{Seed: 7})
	if err != nil {
		return err
	}
	defer m.Close()
	return m.Save(ctx, dir)
}

// experiment is the study of all subjects: two stories validate, two test, all others train.
func (z size) experiment(dir string) *experiment.Experiment {
	e := experiment.Default()
	e.Model.Path, e.Model.Layer = filepath.Join(dir, "model"), 1
	e.Model.Extraction, e.Model.WindowSeconds, e.Model.StrideSeconds, e.Model.ChunkSeconds = "chunks", 2, 2, 16
	e.Data.Path, e.Data.Trim = filepath.Join(dir, "in memory"), [2]int{}
	e.Data.AllowLeak = true // subjects share files
	for s := range z.Subjects {
		e.Data.Subjects = append(e.Data.Subjects, fmt.Sprintf("s%d", s))
	}
	for k := range z.Stories {
		switch left := z.Stories - k; {
		case left > 4:
			e.Data.Train = append(e.Data.Train, z.story(k))
		case left > 2:
			e.Data.Val = append(e.Data.Val, z.story(k))
		default:
			e.Data.Test = append(e.Data.Test, z.story(k))
		}
	}
	e.Readout.DelaysSeconds = nil
	for d := range delays {
		e.Readout.DelaysSeconds = append(e.Readout.DelaysSeconds, tr*float64(d+1))
	}
	e.Readout.Bottleneck = 16
	e.Train.LR = 1e-4
	e.Out = filepath.Join(dir, "run")
	e.Device = "cpu"
	return e
}

// open opens the study.
func (z size) open(ctx context.Context, dir string, opt study.Options, r *reads) (*study.Study, error) {
	e := z.experiment(dir)
	if err := e.Validate(); err != nil {
		return nil, err
	}
	data, err := dataset.New(z.data(dir, r))
	if err != nil {
		return nil, err
	}
	m, err := study.OpenModel(ctx, e, true)
	if err != nil {
		return nil, err
	}
	st, err := study.New(ctx, e, data, m, opt)
	if err != nil {
		m.Close()
		return nil, err
	}
	st.OwnsModel = true
	return st, nil
}

func TestMain(m *testing.M) {
	if err := torch.Setup(torch.SetupOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// finite counts the values of an array of some shape, all of which must be finite.
func finite(t *testing.T, path string, shape ...int) []float32 {
	t.Helper()
	a, err := npy.Read(path)
	require.NoError(t, err)
	require.Equal(t, shape, a.Shape, path)
	x, err := a.Float32()
	require.NoError(t, err)
	for i, v := range x {
		if v-v != 0 {
			require.FailNow(t, "not finite", "%s: value %d is %g", path, i, v)
		}
	}
	return x
}

// alphasOf requires that a ridge was fitted to each voxel of a subject: each has one of the penalties that are tried.
func (z size) alphasOf(t *testing.T, eval string, tried []float64) {
	t.Helper()
	alphas := finite(t, filepath.Join(eval, "test", "s0", "base_alpha.npy"), z.Voxels)
	fitted := 0
	for _, a := range alphas {
		for _, b := range tried {
			if math.Abs(float64(a)-b) <= 1e-6*b {
				fitted++
				break
			}
		}
	}
	require.Equal(t, z.Voxels, fitted)
	r := finite(t, filepath.Join(eval, "test", "s0", "base_r.npy"), z.Voxels)
	zero := 0
	for _, x := range r {
		if x == 0 {
			zero++
		}
	}
	require.Zero(t, zero, "voxels without a score")
}
