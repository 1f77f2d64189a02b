// Package pretrained opens the folder of a pretrained speech encoder in Hugging Face's layout, of
// the family that its config.json names. Package speech, the interface that families implement,
// cannot import them, so opening has a package of its own. It calls the families by name and has no
// registry, so that none can be missing for lack of an import.
package pretrained

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/internal/hub"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
	"github.com/brainwavlm/bwlm/whisper"
)

// Open reads the model in a folder. Close frees it.
//
// The families are Whisper, by package whisper, and WavLM, wav2vec 2.0, HuBERT and data2vec-audio, by package wavlm.
// Others are refused by name. Where dir is no folder but the name of a model on the Hugging Face hub, the
// error has the command that fetches it.
func Open(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
	if err := hub.Check("open model", dir); err != nil {
		return nil, err
	}
	if err := hfmodel.Check("open model", dir); err != nil {
		return nil, err
	}
	load := wavlm.Load
	if hfmodel.Family(dir) == whisper.Family {
		load = whisper.Load
	}
	m, err := load(ctx, dir, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}
