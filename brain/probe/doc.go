// Package probe asks what can be read out of a representation by linear means, layer by layer, before and after tuning.
//
// A probe is a ridge or a logistic regression from hidden states to known properties of the stimulus: the meaning of a
// word as word vectors have it, which word or phone is heard, loudness, spectrum, pitch, word rate, the speaker. [Run]
// does all that the data set allows and says why it leaves others out. Beside the untuned and the tuned model it asks a
// model of the same shape with random weights, and each probe has two controls: the same probe with labels dealt out at
// random (Hewitt & Liang, EMNLP 2019), and the same probe on so few principal components that all layers and models
// have equally many. CKA and the intrinsic dimension say how far tuning moved the representation and how wide it is.
//
// # What is held out
//
// Test items are contiguous in time, and training items within a second of them are left out, since neighbours share
// sound. For word vectors a fold holds out words as well: no word that is tested was fitted anywhere, so that a
// representation that tells words apart but knows nothing of their meaning scores 0. Penalties are chosen within the
// training items.
//
// # Caveats
//
// Compare scores of one probe between models and layers; the scores themselves depend on how many items there are. A
// probe says what can be read out, not what is used. Word vectors go along with word length, frequency and sound.
package probe
