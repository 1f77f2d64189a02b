package planning

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
)

// timeManifest times the hashes of the inputs, of many by some of them.
func (c *calibration) timeManifest(ctx context.Context, _ *work) error {
	st := c.trainer.Study
	total := int64(0)
	for _, p := range st.Subjects {
		total += p.Responses.StoredBytes()
	}
	if total <= someBytes {
		took, err := stopwatch.Seconds(func() error { _, err := st.Manifest(ctx); return err })
		c.manifest = took
		return err
	}
	hashed := int64(0)
	took, err := stopwatch.Seconds(func() error {
		for d, err := range st.Data.Inputs(st.SubjectNames(), st.Stories) {
			if hashed += d.Bytes; err != nil || hashed > someBytes {
				return err
			}
		}
		return nil
	})
	c.manifest = took * max(1, float64(total)/float64(max(hashed, 1)))
	return err
}

// timeResponses times a pass over some responses: reading, measuring and standardising them.
func (c *calibration) timeResponses(ctx context.Context, _ *work) error {
	p := c.trainer.Study.Subjects[0]
	rows := p.Parts[study.Train][0]
	took, err := stopwatch.Seconds(func() error {
		return p.Responses.Select(rows).EachRows(ctx, 0, p.Voxels, func(int, []float32) error { return nil })
	})
	c.value = took / float64(rows.Len()*p.Voxels)
	return err
}
