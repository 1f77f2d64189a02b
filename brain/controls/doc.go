// Package controls asks what else than the brain could have made a gain. [Run] takes a tuned model and sets beside its
// gain that of a dozen others, each scored by a fresh ridge on the same rows, with the same folds and seeds:
//
//	tuned on        shuffled           the responses of each split's rows, cut into blocks of 10 rows that are put in random order
//	                phase_randomised   responses with their spectra, and the voxels' relations, but random phases
//	                wrong_story        responses to another story
//	                other_subject       responses of people who are not in the experiment
//	                stimulus           loudness and spectrum of the sound instead of responses
//	                word_vectors       vectors of the words heard (the explicit supervision of BrainWavLM's comparison)
//	not tuned       random_adapter     an adapter of random numbers that adds as much to each layer
//	                best_layer         the untuned model at the layer that validation likes best
//	no model        envelope        the sound's loudness
//	                spectrum        loudness and 8 bands
//	                word_rate, word_rate_position, autocorrelation
//	                motion          of the head, where the data set has it, and its differences, at the same row and those before
//
// Each is left in controls/NAME of the run directory; those that are there are not computed again.
//
// # Caveats
//
// A control that gains as much as the tuned model says that the gain is not evidence; one that gains nothing does not
// prove that the brain made it. Controls are single draws: where one comes near, repeat it with other seeds.
package controls
