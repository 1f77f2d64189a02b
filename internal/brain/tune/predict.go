package tune

import (
	"encoding/json"

	"github.com/brainwavlm/bwlm/internal/rundir"
)

// readoutMetadata is what is written into the file of each readout, of an epoch by its index.
func (t *Trainer) readoutMetadata(epoch int) map[string]string {
	p := &t.Progress
	text, err := json.Marshal(rundir.ReadoutNote{TR: t.Study.Data.TR(), RowTime: t.Study.Data.RowTime(),
		Delays: t.Study.Delays, Epoch: p.Epochs[epoch].Epoch, Ridge: t.ridgeReadouts()})
	if err != nil {
		panic(err) // numbers encode
	}
	return map[string]string{rundir.ReadoutKey: string(text)}
}
