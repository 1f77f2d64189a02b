package encoding

import "context"

// Regressor returns features of a story without a speech model, or of a subject during it: (rows,
// columns), at least as many rows as the responses of any subject.
type Regressor func(ctx context.Context, subject, story string) (x []float32, columns int, err error)
