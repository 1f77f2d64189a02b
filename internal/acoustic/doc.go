// Package acoustic measures sound: loudness, log power in mel bands, and pitch, one value per frame of a
// speech model.
//
// Frames are those of WavLM, wav2vec 2.0 and HuBERT: frame i covers the 25 ms that begin at i·20 ms, and
// its time is their middle ([Time]). Frame i of a measure and hidden state i of a model therefore belong
// to the same sound.
//
// # Caveats
//
// [Pitch] tracks each frame alone, without a path search. Some frames are an octave off, and creaky or
// noisy voices count as unvoiced. It serves as a target of probes and as a regressor, not for phonetics.
package acoustic
