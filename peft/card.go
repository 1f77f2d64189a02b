package peft

import (
	"fmt"
	"strings"
)

// Card holds what README.md next to an adapter tells its readers beyond the other files. All of it
// may be left out.
type Card struct {
	Data     string   // the data set that it was trained on
	Subjects []string // of the data set
	Scores   []string // a line each
	Licence  string   // an SPDX identifier such as cc-by-4.0
}

// readme returns the card in the form of Hugging Face's model cards.
func (f *File) readme() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("---\nlibrary_name: peft")
	if f.Config.BaseModel != "" {
		line("base_model: %q", f.Config.BaseModel)
	}
	if f.Card.Licence != "" {
		line("license: %q", f.Card.Licence)
	}
	line("---\n%s adapter of %d layers, %d parameters, written by bwlm.", f.Method(), len(f.Modules()), f.Params())
	if f.Card.Data != "" {
		line("\nTrained on: %s", f.Card.Data)
	}
	if len(f.Card.Subjects) > 0 {
		line("\nSubjects: %s", strings.Join(f.Card.Subjects, ", "))
	}
	if len(f.Card.Scores) > 0 {
		line("\nScores:\n")
		for _, s := range f.Card.Scores {
			line("- %s", s)
		}
	}
	if f.Card.Licence == "" {
		line("\nLicence: not stated; that of the base model and of the data bind this adapter, too.")
	}
	line(`
In Python, merge it before use: where a model reads the weights of its layers instead of calling them, as WavLM's
attention in transformers does (huggingface/transformers#48773), an adapter that is not merged has no effect.

    from peft import PeftModel
    model = PeftModel.from_pretrained(base_model, "this folder").merge_and_unload()`)
	return b.String()
}
