package plan

import (
	"cmp"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/proc"
)

// usualCacheBytes is the size of the activation cache on disk where nothing else is given.
const usualCacheBytes = 10 << 30

// disk compares what the run will write with the free space.
func (p *Plan) disk(st *study.Study, w *work) {
	p.FreeMB = float64(proc.FreeDisk(st.Experiment.Out)) / 1e6
	p.compare("the run directory", st.Experiment.Out, p.DiskMB, p.FreeMB)
	p.cacheBytes = min(w.frozenBytes, cmp.Or(st.Options.DiskBytes, usualCacheBytes))
	if st.Options.CacheDir != "" {
		p.InCache(st.Options.CacheDir)
	}
}

// InCache compares what the activation cache of the run will take at most with the free space of a folder, which need
// not be there yet. A plan of a study with a cache folder has done so.
func (p *Plan) InCache(dir string) {
	p.CacheMB, p.CacheFreeMB = float64(p.cacheBytes)/1e6, float64(proc.FreeDisk(dir))/1e6
	p.compare("the activation cache", dir, p.CacheMB, p.CacheFreeMB)
}

func (p *Plan) compare(what, where string, need, free float64) {
	if free > 0 && need > free {
		p.Notes = append(p.Notes, fmt.Sprintf("%s needs about %.3g MB, and at %s %.3g MB are free", what, need, where,
			free))
	}
}
