package contract

import (
	"context"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/brain/report"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/probing"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
	"github.com/brainwavlm/bwlm/wavlm"
)

const (
	model   = "../../testdata/golden/base"
	adapter = model + "/peft/lora_qkv"
)

// openers open the file or folder of a path.
var openers = map[string]func(ctx context.Context, path string) error{
	"audio.Load": func(ctx context.Context, path string) error {
		return second(audio.Load(ctx, path,
			audio.Options{}))
	},
	"ckpt.Open":          func(_ context.Context, path string) error { return second(ckpt.Open(path)) },
	"ckpt.OpenModel":     func(_ context.Context, path string) error { return second(ckpt.OpenModel(path)) },
	"ckpt.OpenTorch":     func(_ context.Context, path string) error { return second(ckpt.OpenTorch(path)) },
	"cortex.ReadMap":     func(_ context.Context, path string) error { return second(cortex.ReadMap(path)) },
	"cortex.ReadSurface": func(_ context.Context, path string) error { return second(cortex.ReadSurface(path)) },
	"dataset.Open":       func(_ context.Context, path string) error { return second(dataset.Open(path)) },
	"experiment.Load":    func(_ context.Context, path string) error { return second(experiment.Load(path)) },
	"experiment.LoadRun": func(_ context.Context, path string) error { return second(experiment.LoadRun(path)) },
	"extract.OpenModel": func(ctx context.Context, path string) error {
		return second(extract.OpenModel(ctx, path, "", speech.Options{}))
	},
	"extract.OpenModel with an adapter": func(ctx context.Context, path string) error {
		return second(extract.OpenModel(ctx, model, path, speech.Options{}))
	},
	"npy.OpenColumns": func(_ context.Context, path string) error { return second(npy.OpenColumns(path)) },
	"npy.Read":        func(_ context.Context, path string) error { return second(npy.Read(path)) },
	"npy.ReadMatrix":  func(_ context.Context, path string) error { return second(npy.ReadMatrix(path)) },
	"peft.Load":       func(_ context.Context, path string) error { return second(peft.Load(path)) },
	"peft.Open":       func(_ context.Context, path string) error { return second(peft.Open(path)) },
	"predict.Open": func(ctx context.Context, path string) error {
		return second(predict.Open(ctx, path, predict.Options{}))
	},
	"pretrained.Open": func(ctx context.Context, path string) error {
		return second(pretrained.Open(ctx, path, speech.Options{}))
	},
	"probing.LoadVectors": func(_ context.Context, path string) error {
		return second(probing.LoadVectors(path, func(string) bool { return true }))
	},
	"report.Read":        func(ctx context.Context, path string) error { return second(report.Read(ctx, path)) },
	"rundir.Open":        func(_ context.Context, path string) error { return second(rundir.Open(path)) },
	"results.ReadLayout": func(_ context.Context, path string) error { return second(results.ReadLayout(path)) },
	"wavlm.Load": func(ctx context.Context, path string) error {
		return second(wavlm.Load(ctx, path,
			speech.Options{}))
	},
}

func second[T any](_ T, err error) error { return err }

func TestAMissingFileMatchesErrNotExist(t *testing.T) {
	for name, open := range openers {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "nowhere")
			err := open(t.Context(), path)
			require.ErrorIs(t, err, fs.ErrNotExist)
			assert.Equal(t, fault.Missing, fault.KindOf(err), "%v", err)
			assert.ErrorContains(t, err, path)
		})
	}
}
