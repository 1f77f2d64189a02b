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
	silent     mp3Silences
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
	var tag mp3Tag
	if s.first, _ = parseMP3Frame(w.peek(at, 4)); s.first.refuse() == nil {
		tag = readMP3Tag(w.peek(at, s.first.size()))
	}
	if tag.found {
		at += int64(s.first.size()) // the frame that holds the tag has no sound
		s.start = at
		s.skip, s.drop = tag.skip, tag.drop
	}
	var kept mp3Reservoir
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
				return nil, bad("no MP3 frame at byte %d (%.1f s): %d bytes are damaged, and what follows would be "+
					"early",
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
		start, end := f.sideInfo()
		if side := w.peek(at+int64(start), end-start); len(side) == end-start {
			whole, _ := kept.next(f, side)
			s.silent.add(whole, s.frames)
		}
		s.channels = max(s.channels, f.channels)
		s.frames++
		at += int64(f.size())
	}
	s.end = at
	s.compare(tag, size-body)
	if note := s.silent.note(s); note != "" {
		s.say("%s", note)
	}
	return s, w.err
}

// compare holds what the tag states against the frames that are there. bytes is the length of the
// file after its ID3 tags.
func (s *mp3Scan) compare(tag mp3Tag, bytes int64) {
	perFrame := int64(s.first.samples())
	switch missing := tag.frames - s.frames; {
	case tag.frames == 0 || missing == 0:
	case missing < 0: // the padding that the tag states is not at the end
		s.say("the tag states %d MP3 frames, %d are there: all are read", tag.frames, s.frames)
		s.drop = 0
	case missing == 1 && tag.bytes <= bytes:
		// Some programs count the frame that holds the tag. The padding is that of the frames stated,
		// as mpg123 takes it.
		s.drop = max(0, s.drop-perFrame)
	default:
		s.truncated = fmt.Sprintf("truncated: %d of %d MP3 frames are there", s.frames, tag.frames)
	}
	if s.truncated != "" {
		s.drop = 0 // the padding at the end is missing
		s.said = append(s.said, s.truncated)
	}
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
