// Package controls runs control analyses: it scores other explanations of the gain of a tuned model.
//
// [Run] scores a dozen alternatives to a tuned model. Each is scored by a new ridge on the same rows, with
// the same folds and seeds, as the difference to the untuned model:
//
//	tuned on        shuffled            responses whose blocks of 10 rows are permuted within each split
//	                phase_randomised    responses with random phases: spectra and relations of voxels stay
//	                wrong_story         responses to another story
//	                other_subject       responses of subjects outside the experiment
//	                stimulus            loudness and spectrum of the sound instead of responses
//	                word_vectors        vectors of the words heard
//	not tuned       random_adapter      a random adapter with the same norm in each layer
//	                best_layer          the untuned model at the layer with the best validation score
//	without model   envelope            loudness of the sound
//	                spectrum            loudness and 8 mel bands
//	                word_rate, word_rate_position
//	                autocorrelation     slow cosines of the position in the story
//	                motion              head motion and its differences, in the same row and those before
//
// The result of each is stored in controls/NAME of the run directory; stored results are read, not
// computed again. [PartitionVariance] partitions the difference in R² between such explanations.
//
// # Caveats
//
// If a control improves as much as the tuned model, the improvement is no evidence for the tuning. If it
// does not, that alone does not prove that the responses caused it. Each control is a single random draw:
// repeat a control with a similar improvement with other seeds.
package controls
