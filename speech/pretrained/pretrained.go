// Package pretrained opens the folder of a pretrained speech encoder in Hugging Face's layout, of
// whatever family its config.json names. It is a package of its own, since package speech, the
// interface that families implement, cannot import them; and it is a switch, not a registry that
// packages enter when they are initialised, so that the families are listed in one place and none
// is missing for lack of an import.
package pretrained

import (
	"context"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Open reads the model in a folder. Close frees it.
//
// All families so far are read by package wavlm: WavLM, wav2vec 2.0, HuBERT and data2vec-audio. It
// refuses others by name.
func Open(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
	m, err := wavlm.Load(ctx, dir, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}
