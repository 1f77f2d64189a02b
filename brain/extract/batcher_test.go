package extract_test

import (
	"context"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// batchClips are clips of several lengths, with windows in common and without.
func batchClips(t *testing.T) [][]float32 {
	t.Helper()
	clip := studytest.GoldenClip(t)
	return [][]float32{clip, clip[:6000], clip[2000:9000], clip[1000:5000], clip[500:]}
}

// together reads the features of all clips at the same time.
func together(t *testing.T, model *extract.SpeechModel, clips [][]float32,
	opt extract.Options) []*extract.WindowVectors {
	t.Helper()
	out := make([]*extract.WindowVectors, len(clips))
	var all sync.WaitGroup
	for i, clip := range clips {
		all.Go(func() {
			found, err := extract.Features(t.Context(), model.Model, clip, opt)
			if assert.NoError(t, err) {
				out[i] = found
			}
		})
	}
	all.Wait()
	require.False(t, t.Failed())
	return out
}

// TestBatchedFeaturesAreThoseOfOneCall: whatever else is computed at the same time, with each way of reading windows.
func TestBatchedFeaturesAreThoseOfOneCall(t *testing.T) {
	m, clips := studytest.GoldenModel(t, ""), batchClips(t)
	for _, opt := range []extract.Options{
		{WindowSeconds: .2, StrideSeconds: .02, Layers: []int{1, 3}},
		{WindowSeconds: .2, StrideSeconds: .02, Layers: []int{2}, Pooling: "mean", Normalise: "window"},
		{WindowSeconds: .1, StrideSeconds: .02, Layers: []int{3, 0}, Extraction: "chunks", ChunkSeconds: .2},
		{WindowSeconds: .1, StrideSeconds: .02, Layers: []int{3}, Extraction: "chunks", ChunkSeconds: .2,
			Pooling: "mean"},
	} {
		var want []*extract.WindowVectors
		for _, clip := range clips {
			alone, err := extract.Features(t.Context(), m.Model, clip, opt)
			require.NoError(t, err)
			want = append(want, alone)
		}
		for _, batch := range []extract.BatchOptions{{}, {Windows: 3}, {Exact: true, Windows: 4}} {
			b := extract.NewBatcher(batch)
			opt.Batcher = b
			for i, found := range together(t, m, clips, opt) {
				assert.Equal(t, want[i].Times, found.Times)
				for l, x := range found.Vectors {
					largest := float32(0)
					for _, v := range want[i].Vectors[l].Data {
						largest = max(largest, float32(math.Abs(float64(v))))
					}
					require.Positive(t, largest)
					studytest.CloseTo(t, want[i].Vectors[l].Data, x.Data, 1e-5*float64(largest), "clip %d, layer %d",
						i, l)
				}
			}
			assert.Zero(t, b.Load().Windows)
			assert.Positive(t, b.Load().PerWindow)
			b.Close()
		}
	}
}

// TestExactBatchesAreBitIdentical to those of a call that is alone.
func TestExactBatchesAreBitIdentical(t *testing.T) {
	m, clips := studytest.GoldenModel(t, ""), batchClips(t)
	b := extract.NewBatcher(extract.BatchOptions{Exact: true, Windows: 6})
	defer b.Close()
	opt := extract.Options{WindowSeconds: .2, StrideSeconds: .02, Layers: []int{3}, Batcher: b}
	var want []*extract.WindowVectors
	for _, clip := range clips {
		want = append(want, together(t, m, [][]float32{clip}, opt)...)
	}
	for range 3 {
		assert.Equal(t, want, together(t, m, clips, opt))
	}
}

// TestCallsOfABatcherEnd with their context or the batcher, and leave nothing to compute.
func TestCallsOfABatcherEnd(t *testing.T) {
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	b := extract.NewBatcher(extract.BatchOptions{})
	opt := extract.Options{WindowSeconds: .2, StrideSeconds: .001, Layers: []int{3}, Batcher: b}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := extract.Features(ctx, m.Model, clip, opt)
	require.ErrorIs(t, err, context.Canceled)
	assert.Zero(t, b.Load().Windows)

	ended := make(chan error)
	for range 4 {
		go func() {
			_, err := extract.Features(context.Background(), m.Model, clip, opt)
			ended <- err
		}()
	}
	require.Eventually(t, func() bool { return b.Load().Longest > 0 }, waitFor, tick)
	b.Close()
	for range 4 {
		err := <-ended
		assert.ErrorIs(t, err, fault.ErrClosed)
		assert.Equal(t, fault.Temporary, fault.KindOf(err))
	}
	_, err = extract.Features(t.Context(), m.Model, clip, opt)
	assert.ErrorIs(t, err, fault.ErrClosed)
	assert.Zero(t, b.Load().Windows)
}

// TestCallsTakeTurns: a short call does not wait for the end of a long one.
func TestCallsTakeTurns(t *testing.T) {
	m, clip := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	b := extract.NewBatcher(extract.BatchOptions{Windows: 2})
	defer b.Close()
	opt := extract.Options{WindowSeconds: .2, StrideSeconds: .0005, Layers: []int{3}, Batcher: b}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := extract.Features(ctx, m.Model, clip, opt)
		ended <- err
	}()
	require.Eventually(t, func() bool { return b.Load().Longest > 0 }, waitFor, tick)
	opt.StrideSeconds = .1
	_, err := extract.Features(t.Context(), m.Model, clip[:6000], opt)
	require.NoError(t, err)
	assert.Positive(t, b.Load().Windows, "the long call has windows left")
	cancel()
	assert.ErrorIs(t, <-ended, context.Canceled)
}
