// Package speech is the interface of a pretrained speech encoder: what programs that extract
// features, tune or merge need of it, whatever the model family. Package wavlm implements it, and
// package speech/pretrained opens a model's folder by the family that its config.json names.
//
// An encoder turns a waveform at [SampleRate] into frames, vectors at a fixed rate. Its values at
// successive depths are
//
//	depth 0      the front end's output: convolutions over the waveform, or a spectrogram
//	depth 1      hidden state 0, the input of the first layer
//	depth d      hidden state d-1, the output of layer d-2
//
// so that hidden states are numbered as in Hugging Face transformers, from 0 to the number of
// layers N. [Encoder].FrontEnd computes depth 0, [Encoder].Forward continues from any depth, and
// layers above the one that is read do not run. What no training changes can so be computed once,
// cached and continued from.
//
//	model, err := pretrained.Open(ctx, dir, speech.Options{})
//	...
//	defer model.Close()
//	hidden, err := model.HiddenStates(ctx, samples, 9)    // of the pretrained model
//	adapter, err := peft.Load("runs/one/adapter")
//	...
//	tuned, err := model.WithAdapter(ctx, adapter)         // a view over the same weights
//	...
//	hidden, err = tuned.HiddenStates(ctx, samples, 9)
//
// Names of parameters and layers belong to the family. Other packages get them from an encoder and
// give them back: [Encoder].Targets, [Encoder].LinearLayers, [Encoder].FrozenDepth.
//
// # Caveats
//
// A front end may return more frames than the recording has, where the family pads clips (Whisper
// pads to 30 s). The first Frames(samples) frames of a hidden state belong to the recording. The
// others must be passed on to Forward and never be pooled.
//
// FrontEnd and Forward are tensor mathematics: they run in a closure of the encoder's Session and
// panic with *torch.Error, as package torch does. The methods that take a context return errors.
package speech
