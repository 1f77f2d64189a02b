// Package demo runs a whole study on simulated subjects, where the truth is known. It tunes on the whole
// cortex, on auditory cortex only, and, as a control, on responses that are rolled in time. It scores each
// against noise ceilings and against the spectrum, the word rate and the identity of words; it probes
// whether the representation gained meaning or lost sound; and it transfers the adapter to other subjects.
//
// The demo uses the same code as a real study. The speech model is a nano WavLM trained on synthetic speech
// and the subjects are those of package sim.
//
// # Caveats
//
// The demo shows that the method finds an effect where one is planted and none elsewhere. It is no evidence
// about real brains.
package demo
