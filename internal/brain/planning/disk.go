package planning

import (
	"cmp"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/proc"
)

// usualCacheBytes is the size of the activation cache on disk where nothing else is given.
const usualCacheBytes = 10 << 30

// compareDisk compares what the run will write with the free space.
func compareDisk(p *plan.Plan, st *study.Study, w *work) {
	p.FreeMB = float64(proc.FreeDisk(st.Experiment.Out)) / 1e6
	compare(p, "the run directory", st.Experiment.Out, p.DiskMB, p.FreeMB)
	p.CacheBytes = min(w.frozenBytes, cmp.Or(st.Options.DiskBytes, usualCacheBytes))
	if st.Options.CacheDir != "" {
		InCache(p, st.Options.CacheDir)
	}
}

// InCache compares what the activation cache of the run will take at most with the free space of a folder, which need
// not be there yet. A plan of a study with a cache folder has done so.
func InCache(p *plan.Plan, dir string) {
	p.CacheMB, p.CacheFreeMB = float64(p.CacheBytes)/1e6, float64(proc.FreeDisk(dir))/1e6
	compare(p, "the activation cache", dir, p.CacheMB, p.CacheFreeMB)
}

func compare(p *plan.Plan, what, where string, need, free float64) {
	if free > 0 && need > free {
		p.Notes = append(p.Notes, fmt.Sprintf("%s needs about %.3g MB, and at %s %.3g MB are free", what, need, where,
			free))
	}
}
