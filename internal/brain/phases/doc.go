// Package phases names the phases of a training and their parts, by which a torch.Profile books time.
package phases
