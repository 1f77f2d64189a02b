// Package sections computes the design matrix of a range of rows on tensors, so that gradients reach
// the vectors. It has the rows of design.StoryDesign.Matrix; a test holds one against the other.
package sections
