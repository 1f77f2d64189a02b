// Package hub recognises names of models on the Hugging Face hub where a folder is expected. It does
// not use the network.
package hub

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// pattern is that of OWNER/MODEL, as the hub admits them.
var pattern = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$`)

// owners has the owner on the hub of well-known models.
var owners = func() map[string]string {
	out := map[string]string{}
	for owner, models := range map[string]string{
		"microsoft": "wavlm-base wavlm-base-plus wavlm-large",
		"facebook": "wav2vec2-base wav2vec2-large wav2vec2-base-960h wav2vec2-large-960h hubert-base-ls960 " +
			"hubert-large-ll60k hubert-xlarge-ll60k data2vec-audio-base data2vec-audio-large",
		"openai": "whisper-tiny whisper-base whisper-small whisper-medium whisper-tiny.en whisper-base.en " +
			"whisper-small.en whisper-medium.en whisper-large whisper-large-v2 whisper-large-v3 whisper-large-v3-turbo",
	} {
		for _, model := range strings.Fields(models) {
			out[model] = owner
		}
	}
	return out
}()

// Download returns the command of huggingface_hub that fetches a model into a folder.
func Download(model, dir string) string { return "hf download " + model + " --local-dir " + dir }

// Check returns an error if path is the name of a model on the hub and no folder here: its hint is
// the command that makes it one.
func Check(op, path string) error { return CheckAt(op, path, path) }

// CheckAt is [Check] for a path that an experiment gave as name, relative to its own folder. A folder that has the name
// of a well-known model, such as models/wavlm-base-plus, is taken for it.
func CheckAt(op, name, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	base := filepath.Base(name)
	if owner := owners[base]; owner != "" && name != owner+"/"+base {
		return fault.New(fault.Missing, op, name, "there is no such folder").
			WithHint("fetch the model: `%s` (pip install huggingface_hub)", Download(owner+"/"+base, path))
	}
	if !pattern.MatchString(name) {
		return nil
	}
	return fault.New(fault.Missing, op, name, "there is no such folder; as a name it is of a model on huggingface.co").
		WithHint("fetch it here, under the same name: `%s` (pip install huggingface_hub)", Download(name, path))
}
