package encoding

import "github.com/brainwavlm/bwlm/brain/design"

// Joined concatenates the features of several hidden states in the order delays × states × channels.
func Joined(fs []RowFeatures) *RowFeatures {
	if len(fs) == 1 {
		return &fs[0]
	}
	out := &RowFeatures{Width: fs[0].Width * len(fs), Delays: fs[0].Delays, Unit: fs[0].Unit,
		Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
	channels := fs[0].Width / len(fs[0].Delays)
	for story, first := range fs[0].Rows {
		var z design.ZScore
		for _, f := range fs {
			z.Mean, z.SD = append(z.Mean, f.Zscore[story].Mean...), append(z.SD, f.Zscore[story].SD...)
		}
		x := make([]float32, 0, len(first)*len(fs))
		for at := 0; at < len(first); at += channels { // each row
			for _, f := range fs {
				x = append(x, f.Rows[story][at:at+channels]...)
			}
		}
		out.Rows[story], out.Zscore[story] = x, z
	}
	return out
}
