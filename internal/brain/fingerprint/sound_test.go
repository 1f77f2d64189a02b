package fingerprint

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"
)

// talk is synthetic speech: voiced syllables of a pitch that glides, with three formants, hisses, and pauses.
// Another seed says something else.
func talk(seed uint64, seconds float64) []float32 { return talkAs(seed, 1, seconds) }

// talkAs is talk with another voice.
func talkAs(seed uint64, voice, seconds float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 11))
	out := make([]float32, int(seconds*Rate))
	phase := 0.
	for at := 0; at < len(out); {
		n := int((.08 + .2*r.Float64()) * Rate)
		if r.Float64() < .12 {
			at += int((.1 + .4*r.Float64()) * Rate) // a pause
			continue
		}
		hiss := r.Float64() < .25
		f := [3]float64{250 + 600*r.Float64(), 900 + 1400*r.Float64(), 2300 + 900*r.Float64()}
		for m := range f {
			f[m] *= voice
		}
		move := 1 + .3*(r.Float64()-.5)
		pitch, glide := (90+90*r.Float64())*voice, 1+.3*(r.Float64()-.5)
		loud := .2 + .8*r.Float64()
		var low float64
		for i := range min(n, len(out)-at) {
			u := float64(i) / float64(n)
			envelope := loud * math.Sin(math.Pi*u)
			if hiss {
				x := r.NormFloat64()
				out[at+i] = float32(.06 * envelope * (x - low))
				low = x
				continue
			}
			hertz := pitch * (1 + (glide-1)*u)
			phase += 2 * math.Pi * hertz / Rate
			x := 0.
			for k := 1.; k*hertz < 4000; k++ {
				h, g := k*hertz, 0.
				for m, c := range f {
					d := (h - c*(1+(move-1)*u)) / (60 + 40*float64(m))
					g += 1 / (1 + d*d) / float64(m+1)
				}
				x += g * math.Sin(k*phase)
			}
			out[at+i] = float32(.15 * envelope * x)
		}
		at += n
	}
	return out
}

// music is a bed of chords with struck notes, one every quarter of a second.
func music(seed uint64, seconds float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 12))
	out := make([]float32, int(seconds*Rate))
	for at := 0; at < len(out); at += Rate / 4 {
		hertz := 220 * math.Pow(2, float64(r.IntN(24))/12)
		for i := range min(Rate, len(out)-at) {
			t := float64(i) / Rate
			phase := 2 * math.Pi * hertz * t
			x := math.Sin(phase) + .5*math.Sin(2*phase) + .3*math.Sin(3*phase)
			out[at+i] += float32(.2 * math.Exp(-4*t) * x)
		}
	}
	return out
}

func noise(r *rand.Rand, seconds float64) []float32 {
	out := make([]float32, int(seconds*Rate))
	for i := range out {
		out[i] = float32(.1 * r.NormFloat64())
	}
	return out
}

// pink is noise whose energy falls by 3 dB an octave.
func pink(r *rand.Rand, seconds float64) []float32 {
	var rows [16]float64
	out := make([]float32, int(seconds*Rate))
	for i := range out {
		for k := range rows {
			if i%(1<<k) == 0 {
				rows[k] = r.NormFloat64()
			}
			out[i] += float32(.03 * rows[k])
		}
	}
	return out
}

func tones(seconds float64, hertz ...float64) []float32 {
	out := make([]float32, int(seconds*Rate))
	for i := range out {
		for _, f := range hertz {
			out[i] += float32(.1 * math.Sin(2*math.Pi*f*float64(i)/Rate))
		}
	}
	return out
}

// clicks are those of a metronome.
func clicks(seconds, period float64) []float32 {
	out := make([]float32, int(seconds*Rate))
	for at := .1; at < seconds; at += period {
		for i := range min(160, len(out)-int(at*Rate)) {
			out[int(at*Rate)+i] = float32(.5 * math.Exp(-float64(i)/30) * math.Sin(float64(i)))
		}
	}
	return out
}

// steps are two tones whose loudness jumps every 0.4 s.
func steps(seed uint64, seconds float64) []float32 {
	r, out, a, b := rand.New(rand.NewPCG(seed, 13)), make([]float32, int(seconds*Rate)), 0., 0.
	for i := range out {
		if i%6400 == 0 {
			a, b = r.Float64(), r.Float64()
		}
		t := 2 * math.Pi * float64(i) / Rate
		out[i] = float32(.3 * (a*math.Sin(300*t) + b*math.Sin(2500*t) + .02*r.NormFloat64()))
	}
	return out
}

func gain(x []float32, dB float64) []float32 {
	out := slices.Clone(x)
	for i := range out {
		out[i] *= float32(math.Pow(10, dB/20))
	}
	return out
}

// round rounds to so many bits.
func round(x []float32, bits int) []float32 {
	out, full := slices.Clone(x), math.Ldexp(1, bits-1)
	for i := range out {
		out[i] = float32(math.Round(float64(out[i])*full) / full)
	}
	return out
}

// rms is the level of the loud part: the root mean square over the samples that are not silent.
func rms(x []float32) float64 {
	sum, n := 0., 1.
	for _, v := range x {
		if v != 0 {
			sum, n = sum+float64(v)*float64(v), n+1
		}
	}
	return math.Sqrt(sum / n)
}

// mix adds b, repeated as long as needed, so many dB below a.
func mix(a, b []float32, below float64) []float32 {
	out := slices.Clone(a)
	g := float32(rms(a) / rms(b) * math.Pow(10, -below/20))
	for i := range out {
		out[i] += g * b[i%len(b)]
	}
	return out
}

// faster plays at another speed: pitch and tempo change.
func faster(x []float32, ratio float64) []float32 {
	out := make([]float32, int(float64(len(x)-2)/ratio))
	for i := range out {
		at := float64(i) * ratio
		k := int(at)
		u := float32(at - float64(k))
		out[i] = x[k]*(1-u) + x[k+1]*u
	}
	return out
}

// slower stretches time and keeps the pitch: frames of 32 ms are laid where they fit best what is there (WSOLA).
func slower(x []float32, ratio float64) []float32 {
	const n, reach = 512, 128
	out := make([]float32, int(float64(len(x))*ratio)+n)
	from := 0
	for at := 0; at+n <= len(out); at += n / 2 {
		want := int(float64(at) / ratio)
		best, place := math.Inf(-1), want
		for c := max(want-reach, 0); c <= want+reach && c+n <= len(x) && from+n/2+n <= len(x); c += 2 {
			dot := 0.
			for i := 0; i < n/2; i += 2 {
				dot += float64(x[from+n/2+i]) * float64(x[c+i])
			}
			if dot > best {
				best, place = dot, c
			}
		}
		if place+n > len(x) {
			break
		}
		for i := range n {
			w := float32(.5 - .5*math.Cos(2*math.Pi*(float64(i)+.5)/n))
			out[at+i] += w * x[place+i]
		}
		from = place
	}
	return out
}

// higher raises the pitch and keeps the tempo.
func higher(x []float32, ratio float64) []float32 { return faster(slower(x, ratio), ratio) }

// filtered multiplies the spectrum of the whole.
func filtered(x []float32, at func(hertz float64) float64) []float32 {
	n := len(x)
	fft, in := fourier.NewFFT(n), make([]float64, n)
	for i, v := range x {
		in[i] = float64(v)
	}
	c := fft.Coefficients(nil, in)
	for i := range c {
		c[i] *= complex(at(float64(i)*Rate/float64(n)), 0)
	}
	out := make([]float32, n)
	for i, v := range fft.Sequence(in, c) {
		out[i] = float32(v / float64(n))
	}
	return out
}

// echoed adds the sound of a room: 60 reflections in a third of a second.
func echoed(x []float32) []float32 {
	r, out := rand.New(rand.NewPCG(5, 5)), slices.Clone(x)
	for range 60 {
		late := r.Float64() / 3
		g := float32(.35 * math.Exp(-9*late) * r.NormFloat64())
		for i := int(late * Rate); i < len(out); i++ {
			out[i] += g * x[i-int(late*Rate)]
		}
	}
	return out
}

// clipped limits samples to a share of the largest.
func clipped(x []float32, share float32) []float32 {
	most := max(slices.Max(x), -slices.Min(x)) * share
	out := slices.Clone(x)
	for i := range out {
		out[i] = min(max(out[i], -most), most)
	}
	return out
}

// seconds cuts.
func seconds(x []float32, from, to float64) []float32 {
	return slices.Clone(x[int(from*Rate):int(to*Rate)])
}

func join(parts ...[]float32) []float32 { return slices.Concat(parts...) }

func silence(seconds float64) []float32 { return make([]float32, int(seconds*Rate)) }

// reversed plays backwards.
func reversed(x []float32) []float32 {
	out := slices.Clone(x)
	slices.Reverse(out)
	return out
}
