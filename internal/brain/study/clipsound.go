package study

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/fingerprint"
	"github.com/brainwavlm/bwlm/speech"
)

// heardClips takes the fingerprint of each clip of the one story that they make, before the audio is normalised.
func (st *Study) heardClips(ctx context.Context, _ string, wave []float32) error {
	if err := st.loadClips(ctx); err != nil || st.sounds.clips != nil {
		return err
	}
	for k, n := range st.clips {
		from := int(math.Round(float64(k) * st.Data.ClipSeconds() * speech.SampleRate))
		m := fingerprint.NewMaker()
		m.Write(wave[from : from+n])
		st.sounds.clips = append(st.sounds.clips, m.Print())
	}
	return nil
}

// findSameClips adds to a report the clips of different splits that sound the same: the same samples, or, in clips
// long enough to tell, a shared stretch. All of a clip counts, whatever is read of it.
func (st *Study) findSameClips(ctx context.Context, report *design.Report) error {
	if _, err := st.Wave(ctx, st.Data.Stories()[0]); err != nil {
		return err
	}
	each, compared := st.Data.ClipRows(), map[[2]string]bool{}
	clips := &design.Report{} // with a row for each clip of each split
	rows := map[string]*fingerprint.Print{}
	seconds := map[string]float64{}
	for _, r := range report.Rows {
		for k, e := range st.Data.ClipsIn(r.Rows) {
			name, print := e.Name, st.sounds.clips[r.From/each+k]
			rows[name], seconds[name] = print, print.Seconds()
			clips.Rows = append(clips.Rows, design.SplitRows{Split: r.Split, Rows: design.Rows{Story: name, To: 1},
				Stimulus: name, Audio: design.Interval{To: print.Seconds()}})
		}
	}
	var shared []design.SharedAudio
	for i, a := range clips.Rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for _, b := range clips.Rows[i+1:] {
			pair := [2]string{min(a.Story, b.Story), max(a.Story, b.Story)}
			if a.Split == b.Split || a.Story == b.Story || compared[pair] {
				continue
			}
			compared[pair] = true
			p, q := rows[pair[0]], rows[pair[1]]
			for _, x := range fingerprint.Compare(p, q) {
				if x.Counts(p, q) {
					shared = append(shared, design.SharedAudio{StoryA: pair[0], StoryB: pair[1],
						A: design.Interval(x.A), B: design.Interval(x.B), Seconds: x.Seconds})
				}
			}
		}
	}
	clips.CompareAudio(seconds, shared, st.allowsShared)
	report.Copies, report.Compared, report.Pending, report.OfClips = clips.Copies, clips.Compared, false, true
	return nil
}
