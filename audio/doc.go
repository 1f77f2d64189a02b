// Package audio turns a recording into what a speech model reads: 16 kHz, one channel, float32 in
// [-1, 1].
//
// A file is recognised by its content, never by its name: WAV (PCM of 8, 16, 24 and 32 bits, float
// of 32 and 64), FLAC and MP3. Load reads a whole file, Open reads it as a stream in bounded
// memory, and Decode and NewReader do the same for bytes that are not in a file. Every failure is a
// *fault.Error that names the file, the reason and a remedy.
//
// # How it works
//
// Decoders of other projects do the decoding, and each is shown only what this package has checked
// first: go-audio/wav gets a header that was written here, since on hostile chunk sizes it would
// ask for gigabytes; go-mp3 gets frames that were walked here; mewkiz/flac gets a stream whose
// metadata blocks fit the file. What they may still do on bad bytes, panic, is turned into an error
// at this package's edge.
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
// FLAC file puts a filter in front of the standard log package's output that drops one message of
// the FLAC decoder, which prints it for each frame at some sample rates.
package audio
