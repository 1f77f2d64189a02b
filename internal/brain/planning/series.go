package planning

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/torch"
)

// Passes of the model that are measured for each way to read bins.
const (
	seriesPasses  = 40
	seriesSeconds = 10
)

// estimateSeries is Estimate where rows are bins, which nothing is tuned on: the price of reading a vector for each,
// and of clips the price of the other way to do so.
func estimateSeries(ctx context.Context, st *study.Study) (*plan.Plan, error) {
	p := &plan.Plan{Schema: 2, Device: st.Model.Session().Device.String(), Threads: torch.Threads(),
		Subjects: len(st.Subjects), Models: models(st), CachedShare: 1}
	ways := []experiment.Model{st.Experiment.Model}
	if st.Data.IsEvents() {
		ways = append(ways, st.OtherExtraction())
	}
	for i, m := range ways {
		count, each, err := priceOfBins(ctx, st, m)
		if err != nil {
			return nil, err
		}
		way := plan.Way{Extraction: string(m.Extraction), Stride: m.StrideSeconds, Seconds: float64(count) * each}
		if m.Extraction == experiment.ExtractClip {
			way.Chunk = m.ChunkSeconds
		}
		if p.Ways = append(p.Ways, way); i > 0 {
			continue
		}
		p.WindowsRead = count
		opening := st.Took.Seconds()
		p.Phases = []plan.Phase{{Name: "open data and model", Times: 1, Each: opening, Seconds: opening},
			{Name: "passes of the model", Times: float64(count), Each: each, Seconds: way.Seconds}}
		p.Seconds = st.Took.Seconds() + way.Seconds
	}
	var err error
	if p.PeakMB, err = peakMB(); err != nil {
		p.Notes = append(p.Notes, err.Error())
	}
	for i := range p.Ways {
		p.Ways[i].PeakMB = p.PeakMB
	}
	p.Intervals, err = expectIntervals(ctx, st)
	return p, err
}

// peakMB is the peak of the process so far: windows are read one after the other, and all are seen.
func peakMB() (float64, error) {
	bytes, err := proc.PeakMemory()
	return float64(bytes) / 1e6, err
}

// priceOfBins returns the number of passes that read the vectors of all bins, and the mean seconds of one, over some
// that are drawn.
func priceOfBins(ctx context.Context, st *study.Study, m experiment.Model) (count int, each float64, err error) {
	r := st.OtherUnits()
	r.Pooling = m.Pooling
	type pass struct {
		stim  *windows.Stimulus
		group int
	}
	var all []pass
	for _, story := range st.Stories {
		stim, err := st.CutAgain(st.Stimuli[story], m)
		if err != nil {
			return 0, 0, err
		}
		for g := range stim.Groups {
			all = append(all, pass{stim, g})
		}
	}
	draw := rand.New(rand.NewPCG(st.Experiment.Train.Seed, 0))
	draw.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var took time.Duration
	n := 0
	for _, one := range all[:min(len(all), seriesPasses)] {
		of := one.stim.All(one.stim.Groups[one.group]).Windows
		start := time.Now()
		if _, err := r.Part(ctx, one.stim, of.From, of.To, st.ScoredLayers()); err != nil {
			return 0, 0, err
		}
		if n++; n == 1 && len(all) > 1 { // the first one also prepares what later ones use
			continue
		}
		if took += time.Since(start); took > seriesSeconds*time.Second {
			break
		}
	}
	if n > 1 {
		n--
	}
	return len(all), took.Seconds() / float64(max(n, 1)), ctx.Err()
}
