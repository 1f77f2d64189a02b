// Package whisper runs the encoder of Whisper (Radford et al. 2022), as a [speech.Encoder], from a folder in Hugging
// Face's layout. Checkpoints with a decoder are read, too; the decoder is left out.
//
//	model, err := whisper.Load(ctx, "whisper-tiny.en", speech.Options{})
//
// Depth 0 is the log-mel spectrogram, exactly as transformers' feature extractor computes it: frames every 10 ms. The
// convolutions, which halve that rate, lead to hidden state 0. They belong to what training may change.
//
// # Context
//
// Whisper was trained on clips of 30 s, and transformers pads shorter ones with silence. [speech.Options] choose:
//
//   - speech.Context30s, the default, pads. A hidden state has 1500 frames, of which the first Frames(samples) belong
//     to the recording. A clip longer than 30 s is refused.
//   - speech.ContextWindow reads the clip alone, with positions from 0. A window of 4 s takes a seventh of the
//     time. The numbers are others: silence after the clip is heard by no frame.
//
// # Caveats
//
// The floor of the spectrogram lies 80 dB below the largest value of the clip, so that the spectrogram of a window is
// no part of that of the recording.
//
// Hidden state N is taken before the final norm. transformers returns it after the norm; speech.PostNorm does.
//
// A frame's field begins 32.5 ms before its middle and ends as much after it. Where it goes beyond the clip, the
// spectrogram reflects the clip.
package whisper
