package study

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"runtime"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/hub"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/torch"
)

// provenance returns what a run of this study is made with and of. The first n inputs of the manifest are files of the
// data.
func (st *Study) provenance(m *results.Manifest, n int) *results.Provenance {
	exp := st.Experiment
	p := &results.Provenance{Version: m.Versions["bwlm"], Go: runtime.Version(), Libtorch: torch.Version(),
		Platform: m.Platform, CPU: proc.CPUModel(), Threads: m.Threads, Device: m.Device, Folds: exp.Eval.Folds}
	p.Commit, p.Dirty = version.Commit()
	origin := hub.OriginOf(exp.Model.Path)
	p.Base.ID, p.Base.Revision, p.Base.SHA256, p.Base.Licence = origin.ID, origin.Revision, m.Base, origin.Licence
	h := sha256.New()
	for _, in := range m.Inputs[:n] {
		fmt.Fprintln(h, in.SHA256)
	}
	p.Data.Name, p.Data.Licence = st.Data.Name(), st.Data.Licence()
	p.Data.SHA256, p.Data.Files = hex.EncodeToString(h.Sum(nil)), n
	seed := exp.Train.Seed
	for _, use := range []string{"initial adapter", "initial readouts", "order of the blocks of an epoch",
		"dropout, layer drop and spec augment of each step", "the check that the adapter trains",
		"layers that start at random (model.reinit_layers)", "held-out chunks of the ridge's folds",
		"bootstrap of intervals over rows", "swaps of the paired permutation test"} {
		p.Seeds = append(p.Seeds, results.Seed{Seed: seed, Use: use})
	}
	return p
}
