// Package probe measures what can be read out of a model's hidden states by linear means, layer by layer,
// before and after tuning.
//
// A probe is a ridge or a logistic regression from hidden states to known properties of the stimulus: word
// vectors, the identity of words and phones, loudness, spectrum, pitch, word rate, the speaker. [Run] runs
// every probe for which the data set has annotations and reports why it leaves out others. It probes the
// untuned model, the tuned model and a model of the same shape with random weights. Each probe has two
// controls: the same probe with permuted labels (selectivity; Hewitt & Liang, EMNLP 2019), and the same probe
// on as many principal components for all layers and models. Linear CKA measures how far tuning moved a
// layer, and TwoNN its intrinsic dimension.
//
// # Held-out items
//
// Test items are contiguous in time. Training items within a second of them are left out, since neighbours
// share sound. For word vectors a fold holds out words as well: no tested word is in the training items, so
// that a representation which distinguishes words but does not encode their meaning scores 0. Penalties are
// chosen within the training items.
//
// # Caveats
//
// Compare the scores of one probe between models and layers. The scores themselves depend on the number of
// items. A probe shows what can be read out, not what the model uses. Word vectors are correlated with word
// length, frequency and sound.
package probe
