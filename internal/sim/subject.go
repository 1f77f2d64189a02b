package sim

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Regions of the simulated cortex, as the data set names them.
const (
	Auditory = "auditory"
	Semantic = "semantic"
	Noise    = "noise"
)

// The simulated subjects.
const (
	Listener  = "listener"          // the subject to tune on
	Related   = "related"           // of the same kind, with other weights, delays and noise
	Unrelated = "unrelated"         // driven by the control components of the words alone
	Shuffled  = "listener-shuffled" // derived: the listener's tuning and validation responses, rolled in time
)

// Peer is the name of the k-th further subject of the listener's kind, from 1 on.
func Peer(k int) string { return fmt.Sprintf("peer-%d", k) }

// shuffledSuffix ends the names of subjects whose responses are rolled in time.
const shuffledSuffix = "-shuffled"

// Properties that vary between voxels.
const (
	minPeak, maxPeak = 4.5, 6.5 // seconds from a sound to the peak of the response, uniform
	minSNR, maxSNR   = .4, 1.2  // variance of the signal over that of the noise of one repeat, uniform
	weightMean       = 1.       // of auditory weights, which are normal with SD 1
)

// Subject is the truth about one simulated subject.
type Subject struct {
	Name string
	ROI  []string  // of each voxel
	Peak []float64 // seconds
	SNR  []float64 // 0: no signal
	// by story, (rows, voxels): the noiseless part of the responses, SD 1 over the tuning stories
	Signal map[string][]float32

	weights [][]float64 // of each voxel, on the 9 spectral numbers or the 3 components of its region
	mixing  [][]float64 // (voxels, sharedSource)
}

// Ceiling returns for each voxel the expected r of the true signal with the mean of the given
// number of repeats, which no model can exceed. It is 0 without signal.
func (p *Subject) Ceiling(repeats int) []float64 {
	out := make([]float64, len(p.SNR))
	for v, snr := range p.SNR {
		out[v] = math.Sqrt(snr / (snr + 1/float64(repeats)))
	}
	return out
}

// Columns returns the voxels of an ROI.
func (p *Subject) Columns(region string) []int {
	var columns []int
	for v, r := range p.ROI {
		if r == region {
			columns = append(columns, v)
		}
	}
	return columns
}

// newSubject draws the properties of one subject.
func newSubject(name string, opt Options) *Subject {
	draw := random(opt.Seed, "person "+name)
	p := &Subject{Name: name, Signal: make(map[string][]float32)}
	for _, r := range opt.regions() {
		for range r.voxels {
			var weights []float64
			switch r.name {
			case Auditory:
				weights = make([]float64, spectrumNumbers)
				for j := range weights {
					weights[j] = weightMean + draw.NormFloat64()
				}
			case Semantic:
				weights = make([]float64, lexicalNumbers)
				for j := range weights {
					weights[j] = draw.NormFloat64()
				}
			}
			mixing, square := make([]float64, sharedSource), 0.
			for j := range mixing {
				mixing[j] = draw.NormFloat64()
				square += mixing[j] * mixing[j]
			}
			for j := range mixing {
				mixing[j] /= math.Sqrt(square)
			}
			p.ROI = append(p.ROI, r.name)
			p.weights = append(p.weights, weights)
			p.mixing = append(p.mixing, mixing)
			p.Peak = append(p.Peak, uniform(draw, minPeak, maxPeak))
			p.SNR = append(p.SNR, uniform(draw, minSNR, maxSNR))
		}
	}
	for v, r := range p.ROI {
		if r == Noise || r == Auditory && name == Unrelated || opt.Null {
			p.SNR[v] = 0
		}
	}
	return p
}

// simulateSignals computes the subject's signals of all stories. The scale of each voxel comes from the
// tuning stories.
func (p *Subject) simulateSignals(stories []*stimulus) {
	voxels := len(p.ROI)
	for _, s := range stories {
		p.Signal[s.Name] = make([]float32, s.Rows*voxels)
	}
	for v, weights := range p.weights {
		if p.SNR[v] == 0 {
			continue
		}
		h := hrf(p.Peak[v])
		signal := make([][]float64, len(stories))
		var sum, square, n float64
		for i, s := range stories {
			drive := make([]float64, s.Rows*ticksPerRow)
			for t, x := range s.features(p.ROI[v], p.Name == Unrelated) {
				for j, w := range weights {
					drive[t] += w * x[j]
				}
			}
			signal[i] = convolveRows(drive, h, s.Rows)
			if s.Role != roleTune {
				continue
			}
			for _, x := range signal[i] {
				sum, square, n = sum+x, square+x*x, n+1
			}
		}
		mean := sum / n
		sd := math.Sqrt(square/n - mean*mean)
		for i, s := range stories {
			for k, x := range signal[i] {
				p.Signal[s.Name][k*voxels+v] = float32((x - mean) / sd)
			}
		}
	}
}

// simulateResponses returns the subject's responses to a story: signal and noise with the ratio of the
// voxel's SNR and a variance of about 1.
func (p *Subject) simulateResponses(s *story, repeats int, seed uint64) *dataset.Matrix {
	voxels := len(p.ROI)
	m := &dataset.Matrix{Repeats: repeats, Rows: s.Rows, Voxels: voxels,
		Data: make([]float32, 0, repeats*s.Rows*voxels)}
	draw := random(seed, "noise of "+p.Name+" in "+s.Name)
	for range repeats {
		for k, row := range noise(draw, s.Rows, p.mixing) {
			for v, e := range row {
				signal := float64(p.Signal[s.Name][k*voxels+v])
				snr := p.SNR[v]
				m.Data = append(m.Data, float32(math.Sqrt(snr/(1+snr))*signal+math.Sqrt(1/(1+snr))*e))
			}
		}
	}
	return m
}
