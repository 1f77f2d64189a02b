// Package sim simulates studies: stories of synthetic speech, and subjects with planted responses to them.
//
// A real study shows that tuning raised a score, but not whether it should have. Here the truth is
// planted, so that a whole analysis can be checked against it. [New] composes stories from a
// lexicon of spoken words, with exact word times, and simulates the responses of subjects. The
// result is an in-memory [dataset.Dataset], analysed by the same code as real data, and a [Subject]
// with the truth about each subject.
//
// # Speech
//
// The lexicon is 30 concrete English words, each spoken by eleven voices of espeak-ng that differ in accent, timbre,
// rate and pitch. A voice has one [Role]: the voices of the test stories and of the probe stories are never tuned on.
// Words follow each other at random, with pauses and random loudness; there is no grammar and no context.
// tools/sim/make_lexicon.py made the sound.
//
// # Subjects
//
// The responses of a voxel are a signal plus noise. The signal is a weighted sum of stimulus features, sampled every
// .1 s and convolved with a haemodynamic response whose peak is the voxel's own. Regions differ in the features:
//
//   - auditory: loudness and eight spectral bands, with weights whose mean is not 0;
//   - semantic: three principal components of the words' GloVe vectors, less what the words' spectrum and duration
//     tell of them, so that over a story they are uncorrelated with the spectrum and the word rate;
//   - noise: nothing.
//
// [Listener] is the subject to tune on. [Related] is of the same kind with other weights, delays
// and noise. [Unrelated] is driven by other components of the same words ("control") and by nothing
// else; its auditory columns hold noise. [Shuffled] is the listener with the responses of tuning
// and validation stories rolled in time. Options.Peers adds subjects of the listener's kind, each
// with weights, delays, noise and a number of voxels of their own; with peers, each subject has a
// shuffled twin, NAME-shuffled, rolled as the listener's is. Noise is a first-order process, partly
// shared between voxels. Test stories have repeats with independent noise, so that ceilings can be
// estimated; the true ceiling is [Subject.Ceiling].
//
// # Caveats
//
// The model of the study, [WriteNano], is a small WavLM trained for about a minute on synthetic
// speech of the tuning voices. It is not a pretrained model. The study shows that the method finds
// a planted effect and none elsewhere; it is no evidence about real brains. Responses at a story's
// start assume silence before it.
package sim
