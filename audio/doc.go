// Package audio turns a recording into what a speech model reads: 16 kHz, one channel, float32 in
// [-1, 1].
//
// A file is recognised by its content, never by its name: WAV (PCM of 8 to 32 bits, float of 32 and
// 64), FLAC of up to 24 bits and MP3. [Load] reads a file, and [Decode] reads bytes that are not in a
// file. Every failure is a *fault.Error that names the file, the reason and a remedy.
//
// # How it works
//
// Decoders of other projects do the decoding, and each receives only what this package has checked:
// go-audio/wav gets a header that was written here, since it allocates gigabytes on hostile chunk
// sizes; go-mp3 gets frames whose headers were checked here; mewkiz/flac gets a stream whose
// metadata blocks fit the file. A panic of a decoder on bad bytes becomes an error.
//
// After decoding, the channels are averaged (or one is picked) and the rate is converted by a
// windowed sinc whose stop band is 110 dB down and which has no delay: output sample n is the
// input's value at n/16000 s. Method "torchaudio" uses the kernel of torchaudio.functional.resample
// with its defaults instead, for parity with Python pipelines; its stop band is much worse.
//
// # Caveats
//
// Full scale is 1: a PCM sample of b bits is divided by 2^(b-1), as in torchaudio and soundfile.
// The encoder's delay is cut from an MP3 that states it (the LAME tag), as other decoders do;
// without the tag, an MP3 starts about 25 ms late, and word times may be off by that much. MP3
// comes from the decoder as 16-bit integers. MPEG 2.5 and free-format MP3 are refused. Opening a
// FLAC file installs a filter on the output of the standard log package. It drops one message of
// the FLAC decoder, which logs it for each frame at some sample rates.
package audio
