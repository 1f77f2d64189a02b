package encoding

import "context"

// Regressor gives what is known about a story without a speech model, or about a subject while they heard it: (rows,
// columns), at least as many rows as anybody in the study has.
type Regressor func(ctx context.Context, subject, story string) (x []float32, columns int, err error)
