package audio

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// A wavHeader is the content of a WAV file's chunks, checked against the file.
type wavHeader struct {
	float     bool
	width     int // bytes of one sample
	bits      int // meaningful bits of one sample, which are the upper ones
	channels  int
	rate      int
	data      int64  // offset of the first sample
	size      int64  // bytes of whole frames from there
	truncated string // how, if it is
	notes     []string
}

func (h *wavHeader) frameBytes() int64 { return int64(h.channels * h.width) }

// maxChunks bounds the walk: a recording has a dozen chunks at most.
const maxChunks = 4096

// The size that a writer puts where it does not know the size, and that RF64 puts where ds64 has
// it.
const unknownSize = 0xffffffff

// streamed reports whether a size is one of those that programs put into the header when they write
// to a pipe: 0xffffffff, 0x80000000 and 0x7fffffff, SoX's and espeak's 0x7ffff000. Some of them
// take off what comes before the samples, or the rest of a frame.
func streamed(size int64) bool {
	for _, stated := range []int64{unknownSize, 0x80000000, 0x7ffff000} {
		if size > stated-512 && size <= stated {
			return true
		}
	}
	return false
}

// readWAVHeader reads the chunks of a RIFF or RF64 file of the given size and checks them. It reads
// a few bytes of each chunk, whatever size the chunk claims. Sources: Microsoft Multimedia
// Programming Interface 1.0; EBU Tech 3306 for RF64.
func readWAVHeader(src io.ReaderAt, size int64) (*wavHeader, error) {
	var h *wavHeader // nil until the fmt chunk
	var dataSize int64 = -1
	var long64 int64 = -1 // the data size in ds64

	var riff [12]byte
	if size < int64(len(riff)) {
		return nil, bad("%d bytes are no WAV file", size)
	}
	if err := readAt(src, riff[:], 0); err != nil {
		return nil, err
	}
	if !starts(riff[:], 8, "WAVE") {
		return nil, bad("a %q file of type %q, not WAVE", riff[:4], riff[8:12])
	}
	riffSize := int64(binary.LittleEndian.Uint32(riff[4:]))

	at := int64(len(riff))
	for count := 0; at+8 <= size; count++ {
		if count == maxChunks {
			return nil, bad("more than %d chunks", maxChunks)
		}
		var head [8]byte
		if err := readAt(src, head[:], at); err != nil {
			return nil, err
		}
		id, claim := string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:]))
		at += 8
		if id == "data" {
			switch {
			case dataSize >= 0:
				return nil, bad("it has two data chunks")
			case h == nil:
				return nil, bad("its data chunk comes before its fmt chunk")
			}
			if claim == unknownSize && long64 >= 0 {
				claim = long64
			}
			h.data = at
			h.size = min(claim, size-at)
			switch {
			case claim == unknownSize, claim == 0 && riffSize+8 != size, claim > size-at && streamed(claim):
				// A program that writes to a pipe cannot seek back to fill in the size.
				h.size = size - at
				h.notes = append(h.notes, "the WAV header gives no length (streamed): read to the end of the file")
			case claim > size-at:
				h.truncated = fmt.Sprintf("truncated: %d of %d bytes of samples are there", size-at, claim)
				h.notes = append(h.notes, h.truncated)
			}
			dataSize = h.size
			claim = h.size
		} else if dataSize >= 0 && (claim > size-at || !printable(id)) {
			h.noteRest(src, at-8, size) // it is ignored, such as zeros up to the end of a block
			break
		} else if claim > size-at {
			return nil, bad("its chunk %q claims %d bytes, %d are left", id, claim, size-at)
		}
		switch id {
		case "fmt ":
			if h != nil {
				return nil, bad("it has two fmt chunks")
			}
			var err error
			if h, err = readFmt(src, at, claim); err != nil {
				return nil, err
			}
		case "ds64":
			var b [16]byte
			if claim < 28 {
				return nil, bad("its ds64 chunk has %d bytes, want at least 28", claim)
			}
			if err := readAt(src, b[:], at); err != nil {
				return nil, err
			}
			if long64 = int64(binary.LittleEndian.Uint64(b[8:])); long64 < 0 {
				return nil, bad("its ds64 chunk claims %d bytes of samples", uint64(long64))
			}
		}
		at += claim + claim&1 // chunks start at even offsets
	}
	switch {
	case h == nil:
		return nil, bad("it ends at byte %d, before a fmt chunk", size)
	case dataSize < 0:
		return nil, bad("it ends at byte %d, before a data chunk", size)
	}
	rest := h.size % h.frameBytes()
	h.size -= rest
	if rest != 0 && h.truncated == "" {
		h.notes = append(h.notes, fmt.Sprintf("the last %d bytes of samples are no whole frame: dropped", rest))
	}
	return h, nil
}

// noteRest notes bytes after the samples that are no chunk, if they are so many that they may be samples: a program
// that died while it recorded leaves a header that is older than they are.
func (h *wavHeader) noteRest(src io.ReaderAt, from, size int64) {
	seconds := float64(size-from) / float64(h.frameBytes()) / float64(h.rate)
	start := make([]byte, min(size-from, 1<<12))
	sound := func(b byte) bool { return b != 0 }
	if seconds < .1 || readAt(src, start, from) != nil || !slices.ContainsFunc(start, sound) {
		return
	}
	h.notes = append(h.notes, fmt.Sprintf("%d bytes after the samples are no chunk, and ignored: if they are samples "+
		"(%.1f s), the header is older than they are", size-from, seconds))
}

// printable reports whether an identifier is of ASCII letters, digits and signs, as those of chunks
// are.
func printable(id string) bool {
	for _, c := range []byte(id) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// Format tags of the fmt chunk.
const (
	tagPCM        = 1
	tagFloat      = 3
	tagExtensible = 0xfffe
)

// The most frequent codecs inside WAV, by tag (mmreg.h).
var codecs = map[uint16]string{
	0x0002: "Microsoft ADPCM", 0x0006: "A-law", 0x0007: "µ-law", 0x0011: "IMA ADPCM", 0x0031: "GSM 6.10",
	0x0050: "MPEG Layer I/II", 0x0055: "MP3", 0x00ff: "AAC", 0x0161: "Windows Media Audio", 0x674f: "Ogg Vorbis",
	0xf1ac: "FLAC",
}

// guidTail is what follows the tag in the 16-byte subformat of an extensible fmt chunk.
const guidTail = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// readFmt reads the fmt chunk, of size bytes, at offset at.
func readFmt(src io.ReaderAt, at, size int64) (*wavHeader, error) {
	if size < 16 {
		return nil, bad("its fmt chunk has %d bytes, want at least 16", size)
	}
	b := make([]byte, min(size, 40))
	if err := readAt(src, b, at); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	tag := le.Uint16(b)
	h := &wavHeader{
		channels: int(le.Uint16(b[2:])),
		bits:     int(le.Uint16(b[14:])),
	}
	rate, align := le.Uint32(b[4:]), int(le.Uint16(b[12:]))
	meaningful := h.bits
	if tag == tagExtensible {
		if len(b) < 40 {
			return nil, bad("its extensible fmt chunk has %d bytes, want 40", size)
		}
		if !starts(b, 26, guidTail) {
			return nil, bad("its samples are of the unknown kind %x", b[24:40])
		}
		tag = le.Uint16(b[24:])
		if valid := int(le.Uint16(b[18:])); valid > h.bits {
			return nil, bad("%d meaningful bits in samples of %d", valid, h.bits)
		} else if valid > 0 {
			meaningful = valid
		}
	}
	h.float = tag == tagFloat
	h.width = (h.bits + 7) / 8
	if wide := 4; tag == tagPCM && h.bits == 24 && align == wide*h.channels {
		h.width = wide
	}
	switch {
	case tag == tagPCM && h.bits >= 8 && h.bits <= 32:
	case tag == tagFloat && (h.bits == 32 || h.bits == 64):
	case tag == tagPCM || tag == tagFloat:
		return nil, bad("%d-bit samples (format %d) are not supported; PCM of 8 to 32 bits and float of 32 and 64 are",
			h.bits, tag).WithHint("convert it to 16-bit WAV")
	default:
		name := codecs[tag]
		if name == "" {
			name = "an unknown codec"
		}
		return nil, bad("its samples are coded as %s (format %#x)", name, tag).WithHint("convert it to PCM")
	}
	if err := checkLayout(h.channels, int64(rate)); err != nil {
		return nil, err
	}
	h.rate = int(rate)
	if int64(align) != h.frameBytes() {
		return nil, bad("its frames have %d bytes; %d channels of %d bits make %d", align, h.channels, h.bits,
			h.frameBytes())
	}
	h.bits = meaningful
	return h, nil
}

// checkLayout refuses a number of channels and a rate that no recording has.
func checkLayout(channels int, rate int64) error {
	if channels < 1 || channels > maxChannels {
		return bad("%d channels; want 1 to %d", channels, maxChannels)
	}
	if rate < minRate || rate > maxRate {
		return bad("%d Hz; want %d to %d Hz", rate, minRate, maxRate)
	}
	return nil
}
