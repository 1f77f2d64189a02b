// Package dist connects several processes, the ranks, that tune one model together. It is a binding of PyTorch's own
// c10d: a store for the meeting, Gloo for exchanges between processors, and NCCL beside it for large exchanges between
// GPUs ([Group.OnDevice]). A launcher's variables say which rank a process is, see [FromEnv]; [Join] waits for all.
//
// Before each exchange the ranks agree on what they are about to do, so that a mismatch is an error of one line on all
// of them. The wish to stop travels with the agreement: a signal to one rank ends the [Group.Context] of all after the
// same exchange. Where a rank dies, hangs or does not come, the others return an error of kind Temporary that names it.
package dist
