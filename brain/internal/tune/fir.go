package tune

import (
	"slices"

	"github.com/brainwavlm/bwlm/torch"
)

// Delayed puts features z (R, C) of consecutive rows behind their delays, newest first, and drops the first `halo`
// rows: (R-halo, C·D). Rows before the first are zeros. It is align.FIR with gradients.
func Delayed(z *torch.Tensor, delays []int, halo int) *torch.Tensor {
	longest := slices.Max(delays)
	rows, channels := z.Dim(0), z.Dim(1)
	padded := torch.Cat(0, z.Scope().ZerosOf(z.DType(), longest, channels), z) // (longest+R, C)
	copies := make([]*torch.Tensor, len(delays))
	for i, d := range delays {
		copies[i] = padded.Narrow(0, longest-d+halo, rows-halo)
	}
	return torch.Cat(1, copies...)
}
