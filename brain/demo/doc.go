// Package demo runs a whole study on simulated people, where the truth is known: tuning on the whole cortex, on
// auditory cortex only, and, as control, on responses rolled in time; scores against ceilings and against what sound,
// word rate and word identity alone would reach; probes of what the representation gained in meaning or lost in sound;
// transfer of the adapter to people it was not tuned on.
//
// Everything goes through the ordinary machinery of package brain. The speech model is a nano WavLM trained on
// synthetic speech, and the people are simulated (package sim): the demo shows that the method finds what is there
// and nothing where nothing is. It says nothing about real brains.
package demo
