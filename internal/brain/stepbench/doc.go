// Package stepbench measures one optimizer step on noise, at the settings of the authors' release. The step is that of
// package tune, on a study whose audio, responses and weights are random.
package stepbench
