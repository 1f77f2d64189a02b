package audio

import (
	"fmt"
	"io"
	"slices"
)

// blockSamples is how many samples, over all channels, are decoded at a time.
const blockSamples = 1 << 14

// A source decodes one recording, block by block.
type source interface {
	// layout describes the recording. frames is the declared length, -1 if it is not known.
	layout() (info Info, frames int64)
	// read fills dst with interleaved samples, whole frames only, and returns how many frames those
	// are: at least one, or 0 with an error, which is io.EOF at the end.
	read(dst []float32) (frames int, err error)
	// notes are remarks on the recording, complete once read has returned io.EOF.
	notes() []string
}

// A reader yields audio as 16 kHz mono in blocks, in memory that does not grow with the recording.
// It belongs to one goroutine.
type reader struct {
	name     string
	opt      Options
	in       *input
	src      source
	info     Info
	size     int64 // of the encoded recording, bytes
	declared int64 // 16 kHz samples to come, -1 if unknown

	block   []float32 // interleaved, as decoded
	mono    []float64
	mix     mixer
	survey  survey
	rate    *resampler
	decoded int64 // source frames
	given   int64 // 16 kHz samples
	err     error // returned by every further read
}

// newReader starts reading a recording of size bytes in src. Errors call it name.
func newReader(name string, src io.ReaderAt, size int64, opt Options) (r *reader, err error) {
	in := &input{ReaderAt: src}
	defer in.locate(name, &err)
	if err := opt.check(); err != nil {
		return nil, err
	}
	dec, err := open(in, size, opt)
	if err != nil {
		return nil, err
	}
	info, frames := dec.layout()
	switch {
	case opt.MaxChannels > 0 && info.Channels > opt.MaxChannels:
		return nil, bad("%d channels, more than the limit of %d", info.Channels, opt.MaxChannels)
	case opt.Channel > info.Channels:
		return nil, bad("channel %d was asked for, there are %d", opt.Channel, info.Channels)
	case opt.NoResample && info.SourceRate != Rate:
		return nil, bad("%d Hz, want %d Hz, and resampling is off", info.SourceRate, Rate).
			WithHint("allow resampling or convert the file")
	}
	r = &reader{name: name, opt: opt, in: in, src: dec, info: info, size: size, declared: -1}
	if err := r.within(frames); err != nil {
		return nil, err
	}
	if frames >= 0 {
		r.declared = resampledLen(frames, info.SourceRate, Rate)
	}
	r.block = make([]float32, max(blockSamples/info.Channels, 1)*info.Channels)
	r.mono = make([]float64, len(r.block)/info.Channels)
	r.mix = mixer{channels: info.Channels, pick: opt.Channel}
	r.survey = newSurvey(info)
	r.rate = newResampler(info.SourceRate, Rate, opt.Resample)
	return r, nil
}

// read fills p with the next 16 kHz samples and returns their number. At the end it returns 0 and
// io.EOF. Every other error is a *fault.Error and permanent. Damage is found when the stream
// reaches it, so the samples before an error are not to be trusted.
func (r *reader) read(p []float32) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.err == nil {
		if n := r.rate.pull(p); n > 0 {
			r.given += int64(n)
			return n, nil
		}
		r.err = r.step()
	}
	return 0, r.err
}

// step moves one block from the decoder into the resampler, or ends the stream.
func (r *reader) step() (err error) {
	defer r.in.locate(r.name, &err)
	frames, err := r.src.read(r.block)
	if err == io.EOF {
		if r.rate.ended() {
			return r.finish()
		}
		r.rate.end()
		return nil
	}
	if err != nil {
		return err
	}
	mono := r.mono[:frames]
	if err := r.mix.mix(mono, r.block[:frames*r.info.Channels], r.decoded); err != nil {
		return err
	}
	r.decoded += int64(frames)
	if err := r.within(r.decoded); err != nil {
		return err
	}
	r.survey.add(mono)
	r.rate.push(mono)
	return nil
}

// finish ends the stream: it collects the notes and refuses a clip that is too short.
func (r *reader) finish() error {
	if r.given < minSamples {
		return bad("%d samples (%.1f ms) at %d Hz; the speech model needs at least %d (%d ms)",
			r.given, 1e3*float64(r.given)/Rate, Rate, minSamples, minSamples*1000/Rate)
	}
	if rate := r.info.SourceRate; rate < Rate {
		r.note("upsampled from %d Hz: nothing above %d Hz", rate, rate/2)
	} else if rate > Rate {
		r.note("resampled from %d Hz", rate)
	}
	r.info.Notes = slices.Concat(r.info.Notes, r.src.notes(), r.mix.notes(), r.survey.notes())
	return io.EOF
}

func (r *reader) note(format string, args ...any) {
	r.info.Notes = append(r.info.Notes, fmt.Sprintf(format, args...))
}

// A recording that decodes to more than freeSeconds at under minByteRate bytes a second is a
// decompression bomb, not speech: the slowest speech codec here is 1000 bytes a second, FLAC of
// digital silence about 50.
const (
	freeSeconds = 600
	minByteRate = 16
)

// within refuses a length, declared or decoded so far, in source frames, that is over the limits.
func (r *reader) within(frames int64) error {
	seconds := float64(frames) / float64(r.info.SourceRate)
	if limit := r.opt.maxSeconds(); seconds > limit {
		return bad("%.0f s of audio, more than the limit of %.0f s", seconds, limit).
			WithHint("raise the limit or cut the recording")
	}
	if seconds > freeSeconds && seconds*minByteRate > float64(r.size) {
		return bad("%.0f s of audio in %d bytes is not a recording", seconds, r.size)
	}
	return nil
}
