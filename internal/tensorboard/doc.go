// Package tensorboard shows a training in TensorBoard while it runs.
//
// A [Board] takes the events of a study and writes two folders, which TensorBoard shows as two
// runs, since they are known at different times and a resumed training takes them back differently:
//
//	steps   loss/train, score/train (r, where the loss is one), learning_rate/model, /readout and /layer_weights,
//	        as far as trained, seconds_per_step
//	epochs  loss/train (mean of the epoch), loss/validation, score/validation, score/retained, regions/NAME
//
// The step is that of the optimizer in both, epoch 0 being the untuned model. A resumed training
// continues in new files, and steps after its checkpoint in the old ones are ignored by the
// reader, so that no step is there twice.
//
// # Caveats
//
// loss/validation is of the trained readouts, which no score uses:
// score/validation is of a ridge fitted anew. TensorBoard keeps numbers in 32 bits and samples long
// curves (--samples_per_plugin scalars=0 keeps all); the exact ones are in metrics.jsonl of the
// run.
package tensorboard
