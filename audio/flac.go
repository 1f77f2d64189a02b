package audio

import (
	"bytes"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"log"
	"math"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
)

// A flacSource decodes a FLAC stream with mewkiz/flac and checks what that does not: that the
// frames agree with the stream's header, its length, and its MD5 sum.
type flacSource struct {
	stream   *flac.Stream
	channels int
	bits     int
	allow    bool // a truncated stream ends at its last whole frame

	frame *frame.Frame // the current frame, nil before the next
	next  int          // in frame
	given uint64       // samples per channel decoded
	sum   hash.Hash    // of all samples, as the encoder hashed them; nil if the stream has no sum
	bytes []byte
	said  []string
}

// openFLAC starts at the "fLaC" at offset start.
func openFLAC(src io.ReaderAt, start, size int64, opt Options) (source, error) {
	frames, err := checkFLACBlocks(src, start, size)
	if err != nil {
		return nil, err
	}
	quietFLAC()
	f := &flacSource{allow: opt.AllowTruncated}
	err = shield(func() (err error) {
		f.stream, err = flac.New(io.NewSectionReader(src, start, size-start))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("its FLAC header: %w", err)
	}
	info := f.stream.Info
	f.channels, f.bits = int(info.NChannels), int(info.BitsPerSample)
	if err := checkLayout(f.channels, int64(info.SampleRate)); err != nil {
		return nil, err
	}
	switch f.bits {
	case 8, 12, 16, 20, 24: // those that a frame's header can state
	default:
		return nil, bad("its samples have %d bits; FLAC of 8, 12, 16, 20 and 24 bits is read", f.bits).
			WithHint("convert it to FLAC of 24 bits or to WAV")
	}
	// A frame may leave its depth to the stream's header; the decoder takes it for 0.
	var first [4]byte
	if size-frames >= 4 {
		if err := readAt(src, first[:], frames); err != nil {
			return nil, err
		}
		if first[0] == 0xff && first[1]&0xfe == 0xf8 && first[3]&0x0e == 0 {
			return nil, bad("its FLAC frames do not state their bits per sample").
				WithHint("encode it again, or convert it to WAV")
		}
	}
	if info.MD5sum != [md5.Size]byte{} {
		f.sum = md5.New()
	}
	if info.NSamples == 0 {
		f.said = append(f.said, "the FLAC header gives no length: read to the end of the file")
	}
	return f, nil
}

// checkFLACBlocks walks the metadata blocks: the first is the stream's header of 34 bytes, and all
// are within the file. It returns the offset after the last. Source: RFC 9639, section 8.
func checkFLACBlocks(src io.ReaderAt, start, size int64) (int64, error) {
	at := start + 4
	for first := true; ; first = false {
		var head [4]byte
		if at+4 > size {
			return 0, bad("it ends at byte %d, inside its FLAC header", size)
		}
		if err := readAt(src, head[:], at); err != nil {
			return 0, err
		}
		kind, length := head[0]&0x7f, int64(head[1])<<16|int64(head[2])<<8|int64(head[3])
		at += 4
		switch {
		case first && (kind != 0 || length != 34):
			return 0, bad("its FLAC stream starts with a block of type %d and %d bytes, want type 0 and 34", kind,
				length)
		case at+length > size:
			return 0, bad("its FLAC metadata block at byte %d claims %d bytes, %d are left", at-4, length, size-at)
		}
		at += length
		if head[0]&0x80 != 0 {
			return at, nil
		}
	}
}

func (f *flacSource) layout() (Info, int64) {
	info := f.stream.Info
	frames := int64(info.NSamples)
	if frames == 0 {
		frames = -1
	}
	return Info{Format: "flac", SourceRate: int(info.SampleRate), Channels: f.channels, Bits: f.bits}, frames
}

func (f *flacSource) notes() []string { return f.said }

func (f *flacSource) read(dst []float32) (int, error) {
	if f.frame == nil {
		if err := f.nextFrame(); err != nil {
			return 0, err
		}
	}
	scale := float32(math.Ldexp(1, 1-f.bits))
	n := min(len(dst)/f.channels, int(f.frame.BlockSize)-f.next)
	for c, sub := range f.frame.Subframes {
		for i, v := range sub.Samples[f.next : f.next+n] {
			dst[i*f.channels+c] = float32(v) * scale
		}
	}
	if f.next += n; f.next == int(f.frame.BlockSize) {
		f.frame, f.next = nil, 0
	}
	return n, nil
}

// nextFrame decodes one frame, or ends the stream.
func (f *flacSource) nextFrame() error {
	total := f.stream.Info.NSamples
	if total > 0 && f.given == total {
		return f.finish() // a tag may follow the last frame
	}
	var fr *frame.Frame
	err := shield(func() (err error) {
		fr, err = f.stream.ParseNext()
		return err
	})
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case err == io.EOF && total == 0:
		return f.finish()
	case cut && f.allow:
		f.sum = nil
		f.said = append(f.said, fmt.Sprintf("truncated: %d of %d samples are there", f.given, total))
		return io.EOF
	case cut && total == 0:
		return bad("truncated: it ends inside the frame after sample %d", f.given).
			WithHint("fetch it again, or allow truncated audio")
	case cut:
		return bad("truncated: %d of %d samples are there", f.given, total).
			WithHint("fetch it again, or allow truncated audio")
	case err != nil:
		return fmt.Errorf("FLAC frame at sample %d: %w", f.given, err)
	}
	if err := f.check(fr); err != nil {
		return err
	}
	f.hash(fr)
	f.frame = fr
	f.given += uint64(fr.BlockSize)
	return nil
}

// check refuses a frame that disagrees with the stream's header. A 0 in a frame means the header's
// value.
func (f *flacSource) check(fr *frame.Frame) error {
	info := f.stream.Info
	switch {
	case fr.Channels.Count() != f.channels:
		return bad("its FLAC frame at sample %d has %d channels, the header says %d", f.given, fr.Channels.Count(),
			f.channels)
	case fr.SampleRate != 0 && fr.SampleRate != info.SampleRate:
		return bad("its FLAC frame at sample %d has %d Hz, the header says %d", f.given, fr.SampleRate, info.SampleRate)
	case fr.BitsPerSample != 0 && int(fr.BitsPerSample) != f.bits:
		return bad("its FLAC frame at sample %d has %d bits, the header says %d", f.given, fr.BitsPerSample, f.bits)
	case fr.BlockSize == 0:
		return bad("its FLAC frame at sample %d is empty", f.given)
	case info.NSamples > 0 && f.given+uint64(fr.BlockSize) > info.NSamples:
		return bad("it has more than the %d samples that its FLAC header says", info.NSamples)
	}
	for c, sub := range fr.Subframes {
		if len(sub.Samples) != int(fr.BlockSize) {
			return bad("its FLAC frame at sample %d has %d samples in channel %d, want %d", f.given, len(sub.Samples),
				c+1, fr.BlockSize)
		}
	}
	return nil
}

// hash adds a frame to the sum: samples interleaved, little-endian, in whole bytes.
func (f *flacSource) hash(fr *frame.Frame) {
	if f.sum == nil {
		return
	}
	width := (f.bits + 7) / 8
	f.bytes = f.bytes[:0]
	for i := range int(fr.BlockSize) {
		for _, sub := range fr.Subframes {
			v := sub.Samples[i]
			for range width {
				f.bytes = append(f.bytes, byte(v))
				v >>= 8
			}
		}
	}
	f.sum.Write(f.bytes)
}

// finish checks the sum at the end of the stream.
func (f *flacSource) finish() error {
	if f.sum == nil {
		return io.EOF
	}
	want := f.stream.Info.MD5sum
	if got := f.sum.Sum(nil); !bytes.Equal(got, want[:]) {
		return bad("its samples have the MD5 sum %x, the FLAC header says %x", got, want).
			WithHint("the file is damaged")
	}
	f.sum = nil
	return io.EOF
}

// flacChatter is what mewkiz/flac 1.0.14 logs for each frame at 24, 176.4 and some other kHz
// (frame/frame.go).
const flacChatter = "The flac library test cases do not yet include"

// quietFLAC drops that message from the standard log and no other.
func quietFLAC() {
	if _, ok := log.Writer().(withoutChatter); !ok {
		log.SetOutput(withoutChatter{log.Writer()})
	}
}

type withoutChatter struct{ io.Writer }

func (w withoutChatter) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(flacChatter)) {
		return len(p), nil
	}
	return w.Writer.Write(p)
}
