// Package acoustic measures sound: loudness, log bands and pitch, one value for each frame of a speech model.
//
// Frames are those of WavLM, wav2vec 2 and HuBERT: frame i covers the 25 ms that begin at i·20 ms, and stands for their
// middle. What is measured of a frame may therefore be set beside a hidden state with the same number.
//
// # Caveats
//
// Pitch is a plain tracker: each frame decides for itself, so that now and then it is an octave off, and creaky or noisy
// voices count as unvoiced. It is meant as a target of probes and a regressor, not for phonetics.
package acoustic
