package audio

import (
	"encoding/binary"
	"fmt"
	"io"
)

// An mp3Scan is the result of reading all frame headers of an MP3.
type mp3Scan struct {
	first    mp3Frame // of the frames with sound
	start    int64    // offset of the first of them
	end      int64    // offset after the last whole one
	frames   int64
	channels int // 2 if any frame has 2
	// The encoder's delay and padding in samples, including the decoder's 529, where the file
	// states them.
	skip, drop int64
	truncated  string // how, if it is
	said       []string
}

// maxJunk is how far after the tags the first frame is searched for.
const maxJunk = 1 << 16

// scanMP3 reads the frame headers from offset body to the tags at the end of the file. It reads
// each byte at most once.
func scanMP3(src io.ReaderAt, body, size int64) (*mp3Scan, error) {
	w := &window{src: src, end: size}
	if err := w.dropTags(); err != nil {
		return nil, err
	}
	at, err := w.findFrame(body, min(body+maxJunk, w.end))
	if err != nil {
		return nil, err
	}
	if at < 0 {
		if f, ok := parseMP3Frame(w.peek(body, 4)); ok && f.refuse() != nil {
			return nil, f.refuse()
		}
		return nil, bad("it has no MP3 frames")
	}
	s := &mp3Scan{start: at}
	if at > body {
		if f, ok := parseMP3Frame(w.peek(body, 4)); ok && f.layer == 3 {
			return nil, bad("no MP3 frame follows the first, at byte %d: it is damaged", body).
				WithHint("convert it again")
		}
		s.say("%d bytes before the first MP3 frame skipped", at-body)
	}
	declared := int64(-1)
	if s.first, _ = parseMP3Frame(w.peek(at, 4)); s.first.refuse() == nil {
		declared = s.readXing(w.peek(at, s.first.size()))
	}
	if declared >= 0 {
		at += int64(s.first.size()) // the frame that holds the tag has no sound
		s.start = at
	}
	for at < w.end && w.err == nil {
		f, ok := parseMP3Frame(w.peek(at, 4))
		if !ok || !f.follows(s.first) {
			next, err := w.findFrame(at, w.end)
			switch {
			case err != nil:
				return nil, err
			case next == at:
				return nil, bad("its MP3 frames change from %d to %d Hz at byte %d (%.1f s)", s.first.rate, f.rate, at,
					s.seconds())
			case next > at:
				return nil, bad("no MP3 frame at byte %d (%.1f s): %d bytes are damaged, and what follows would be early",
					at, s.seconds(), next-at).WithHint("convert it again")
			}
			s.say("%d bytes after the last MP3 frame skipped", w.end-at)
			break
		}
		if err := f.refuse(); err != nil {
			return nil, err
		}
		if at+int64(f.size()) > w.end {
			s.truncated = fmt.Sprintf("truncated: it ends inside the MP3 frame at byte %d (%.1f s)", at, s.seconds())
			break
		}
		s.channels = max(s.channels, f.channels)
		s.frames++
		at += int64(f.size())
	}
	s.end = at
	if declared > s.frames {
		s.truncated = fmt.Sprintf("truncated: %d of %d MP3 frames are there", s.frames, declared)
	}
	if s.truncated != "" {
		s.drop = 0 // the padding at the end is missing
		s.said = append(s.said, s.truncated)
	}
	return s, w.err
}

func (s *mp3Scan) say(format string, args ...any) {
	s.said = append(s.said, fmt.Sprintf(format, args...))
}

func (s *mp3Scan) seconds() float64 {
	return float64(s.frames*int64(s.first.samples())) / float64(s.first.rate)
}

// samples is the length of the sound per channel, without delay and padding.
func (s *mp3Scan) samples() int64 {
	return max(0, s.frames*int64(s.first.samples())-s.skip-s.drop)
}

// decoderDelay is the delay of any Layer III decoder's filter bank in samples: 528 and 1 (LAME's
// technical FAQ).
const decoderDelay = 529

// readXing reads the tag that encoders put into a silent first frame. It returns the number of
// frames that the tag states, 0 if it states none, and -1 if there is no tag. Layouts: Xing's, with
// the extension of LAME; Fraunhofer's.
func (s *mp3Scan) readXing(frame []byte) int64 {
	if starts(frame, 4+32, "VBRI") {
		if tag := frame[36:]; len(tag) >= 18 {
			return int64(binary.BigEndian.Uint32(tag[14:]))
		}
		return 0
	}
	_, at := s.first.sideInfo()
	if !starts(frame, at, "Xing") && !starts(frame, at, "Info") {
		return -1
	}
	tag := frame[at:]
	if len(tag) < 8 {
		return 0
	}
	flags, tag := binary.BigEndian.Uint32(tag[4:]), tag[8:]
	frames := int64(0)
	for bit, length := range []int{4, 4, 100, 4} { // frames, bytes, table of contents, quality
		if flags>>bit&1 == 0 {
			continue
		}
		if len(tag) < length {
			return frames
		}
		if bit == 0 {
			frames = int64(binary.BigEndian.Uint32(tag))
		}
		tag = tag[length:]
	}
	if len(tag) >= 24 && (starts(tag, 0, "LAME") || starts(tag, 0, "Lavc") || starts(tag, 0, "Lavf")) {
		both := int64(tag[21])<<16 | int64(tag[22])<<8 | int64(tag[23])
		s.skip = both>>12 + decoderDelay
		s.drop = max(0, both&0xfff-decoderDelay)
	}
	return frames
}

// A window reads a file forward in blocks.
type window struct {
	src io.ReaderAt
	end int64
	buf []byte
	off int64 // of buf in the file
	err error // the first failure of src, which makes every further peek empty
}

const windowBytes = 1 << 16

// peek returns n bytes at offset off, fewer if the file or the window ends. They are valid until
// the next peek.
func (w *window) peek(off int64, n int) []byte {
	n = int(min(int64(n), w.end-off, windowBytes))
	if n <= 0 || off < 0 || w.err != nil {
		return nil
	}
	if off < w.off || off+int64(n) > w.off+int64(len(w.buf)) {
		if w.buf == nil {
			w.buf = make([]byte, min(windowBytes, w.end))
		}
		w.off = off
		w.buf = w.buf[:min(int64(cap(w.buf)), w.end-off)]
		if w.err = readAt(w.src, w.buf, off); w.err != nil {
			return nil
		}
	}
	return w.buf[off-w.off:][:n]
}

// findFrame looks in [at, limit) for a frame that another one like it, or the end, follows. It
// returns -1 if there is none.
func (w *window) findFrame(at, limit int64) (int64, error) {
	for ; at < limit; at++ {
		f, ok := parseMP3Frame(w.peek(at, 4))
		if !ok || f.layer != 3 || f.bitrate == 0 {
			continue
		}
		next := at + int64(f.size())
		if next == w.end {
			return at, w.err
		}
		if g, ok := parseMP3Frame(w.peek(next, 4)); ok && g.follows(f) {
			return at, w.err
		}
	}
	return -1, w.err
}

// dropTags moves the end before the tags that may stand there: ID3v1 of 128 bytes, and before it
// APEv2.
func (w *window) dropTags() error {
	if b := w.peek(w.end-128, 3); starts(b, 0, "TAG") {
		w.end -= 128
	}
	if b := w.peek(w.end-32, 32); starts(b, 0, "APETAGEX") {
		length := int64(binary.LittleEndian.Uint32(b[12:]))
		if b[23]&0x80 != 0 { // it has a header too
			length += 32
		}
		if length > w.end {
			return bad("its APE tag claims %d bytes, there are %d", length, w.end)
		}
		w.end -= length
	}
	w.buf = nil // what was read may lie beyond the new end
	return w.err
}

// skipID3 gives the offset after the ID3v2 tags at the start of a file. Source: ID3v2.4 structure,
// 3.1.
func skipID3(src io.ReaderAt, size int64) (int64, error) {
	at := int64(0)
	for {
		var b [10]byte
		if at+10 > size {
			return at, nil
		}
		if err := readAt(src, b[:], at); err != nil {
			return 0, err
		}
		if !starts(b[:], 0, "ID3") {
			return at, nil
		}
		length := int64(10)
		if b[5]&0x10 != 0 { // a footer
			length += 10
		}
		for i, v := range b[6:10] {
			if v >= 0x80 {
				return 0, bad("its ID3 tag at byte %d is malformed", at)
			}
			length += int64(v) << (7 * (3 - i))
		}
		if length > size-at {
			return 0, bad("its ID3 tag claims %d bytes, %d are left", length, size-at)
		}
		at += length
	}
}
