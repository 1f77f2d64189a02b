package tune

import (
	"encoding/json"

	"github.com/brainwavlm/bwlm/internal/rundir"
)

// readoutMetadata returns the metadata of a readout's file.
func (t *Trainer) readoutMetadata() map[string]string {
	p := &t.Progress
	text, err := json.Marshal(rundir.ReadoutNote{TR: t.Study.Data.TR(), RowTime: t.Study.Data.RowTime(),
		Delays: t.Study.Delays, Epoch: p.Epochs[p.Best].Epoch, Ridge: t.ridgeReadouts()})
	if err != nil {
		panic(err) // numbers encode
	}
	return map[string]string{rundir.ReadoutKey: string(text)}
}
