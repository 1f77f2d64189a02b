package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	mp3 "github.com/hajimehoshi/go-mp3"
)

// An mp3Source decodes an MP3 with go-mp3, which receives only frames whose headers were checked.
type mp3Source struct {
	scan  *mp3Scan
	feed  *mp3Feed
	dec   *mp3.Decoder
	skip  int64 // samples per channel still to skip
	left  int64 // samples per channel still to return
	bytes []byte
}

// pcmFrame is the size of go-mp3's output for one sampling instant: two 16-bit samples, which are
// equal if the file is mono.
const pcmFrame = 4

func openMP3(src io.ReaderAt, body, size int64, opt Options) (source, error) {
	scan, err := scanMP3(src, body, size)
	if err != nil {
		return nil, err
	}
	if scan.truncated != "" && !opt.AllowTruncated {
		return nil, bad("%s", scan.truncated).WithHint("fetch it again, or allow truncated audio")
	}
	if scan.frames == 0 {
		return nil, bad("it has no MP3 frames with sound")
	}
	if why := scan.silent.tooMuch(scan); why != "" && !opt.AllowTruncated {
		return nil, bad("%s", why).WithHint("cut it again from the original recording, or allow truncated audio")
	}
	m := &mp3Source{scan: scan, skip: scan.skip, left: scan.samples()}
	m.feed = &mp3Feed{window: window{src: src, end: scan.end}, at: scan.start}
	err = shield(func() (err error) {
		m.dec, err = mp3.NewDecoder(m.feed)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("its first MP3 frame: %w", err)
	}
	return m, nil
}

func (m *mp3Source) layout() (Info, int64) {
	return Info{Format: "mp3", SourceRate: m.scan.first.rate, Channels: m.scan.channels}, m.scan.samples()
}

func (m *mp3Source) notes() []string {
	return m.scan.said
}

func (m *mp3Source) read(dst []float32) (int, error) {
	if m.left == 0 {
		return 0, io.EOF
	}
	room := int64(len(dst) / m.scan.channels)
	m.bytes = slices.Grow(m.bytes[:0], int(room)*pcmFrame)[:room*pcmFrame]
	for m.skip > 0 {
		n, err := m.decode(min(m.skip, room))
		if err != nil {
			return 0, err
		}
		m.skip -= int64(n)
	}
	n, err := m.decode(min(m.left, room))
	if err != nil {
		return 0, err
	}
	m.left -= int64(n)
	for i := range n {
		for c := range m.scan.channels {
			dst[i*m.scan.channels+c] = float32(int16(binary.LittleEndian.Uint16(m.bytes[i*pcmFrame+2*c:]))) / (1 << 15)
		}
	}
	return n, nil
}

// decode sets m.bytes to n sampling instants. All n must come: their frames were counted.
func (m *mp3Source) decode(n int64) (int, error) {
	err := shield(func() error {
		_, err := io.ReadFull(m.dec, m.bytes[:n*pcmFrame])
		return err
	})
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return 0, bad("the MP3 decoder stopped before the last frame")
	}
	return int(n), err
}

// An mp3Feed passes the decoder one frame after the other. A frame whose data begin in frames that
// were cut off, as at the start of an excerpt, is made silent; go-mp3 would decode noise. Its bytes
// are passed on: later frames may need them.
type mp3Feed struct {
	window
	at      int64
	frame   []byte // the rest of the current frame
	kept    mp3Reservoir
	scratch []byte
}

// Read returns bytes of one frame at a time.
func (m *mp3Feed) Read(p []byte) (int, error) {
	if len(m.frame) == 0 {
		head, ok := parseMP3Frame(m.peek(m.at, 4))
		if m.err != nil {
			return 0, m.err
		}
		if !ok {
			return 0, io.EOF
		}
		m.scratch = append(m.scratch[:0], m.peek(m.at, head.size())...)
		m.frame = m.scratch
		m.at += int64(head.size())
		if start, end := head.sideInfo(); len(m.frame) >= end {
			side := m.frame[start:end]
			if whole, keep := m.kept.next(head, side); !whole {
				head.silence(side, keep)
			}
		}
	}
	n := copy(p, m.frame)
	m.frame = m.frame[n:]
	return n, nil
}
