package audio

import (
	"bytes"
	"io"
)

// open recognises a recording by its first bytes and makes its decoder.
func open(src io.ReaderAt, size int64, opt Options) (source, error) {
	if size == 0 {
		return nil, bad("it is empty")
	}
	head := make([]byte, min(size, 64))
	if err := readAt(src, head, 0); err != nil {
		return nil, err
	}
	switch {
	case starts(head, 0, "RIFF") && starts(head, 8, "WAVE"), starts(head, 0, "RF64"), starts(head, 0, "BW64"):
		return openWAV(src, size, opt)
	case starts(head, 0, "fLaC"):
		return openFLAC(src, 0, size, opt)
	case starts(head, 0, "ID3"):
		// An ID3 tag may precede FLAC as well as MP3.
		body, err := skipID3(src, size)
		if err != nil {
			return nil, err
		}
		magic := make([]byte, 4)
		if size-body >= 4 {
			if err := readAt(src, magic, body); err != nil {
				return nil, err
			}
		}
		if starts(magic, 0, "fLaC") {
			return openFLAC(src, body, size, opt)
		}
		return openMP3(src, body, size, opt)
	case isMPEG(head):
		return openMP3(src, 0, size, opt)
	}
	return nil, foreign(head)
}

// foreigners are formats that are not decoded, by the bytes that they have at an offset. The first
// that matches holds.
var foreigners = []struct {
	at          int
	magic, kind string
}{
	{0, "RIFX", "big-endian WAV (RIFX)"},
	{0, "RIFF", "a RIFF file, but not WAV"},
	{0, "riff\x2e\x91\xcf\x11", "Sony Wave64"},
	{0, "OggS", "Ogg (Vorbis or Opus)"},
	{0, "FORM", "AIFF"},
	{0, ".snd", "Sun audio"},
	{0, "caff", "Core Audio"},
	{4, "ftyp", "MPEG-4 (AAC or ALAC)"},
	{0, "NIST_1A", "NIST SPHERE"},
	{0, "\x1a\x45\xdf\xa3", "Matroska or WebM"},
}

// foreign is the error of content that is not decoded here.
func foreign(head []byte) error {
	e := bad("neither WAV, FLAC nor MP3; it starts with %q", head[:min(len(head), 12)])
	for _, f := range foreigners {
		if starts(head, f.at, f.magic) {
			e = bad("%s is not supported", f.kind)
			break
		}
	}
	return e.WithHint("convert it to FLAC or 16-bit WAV")
}

// starts reports whether magic stands at offset at.
func starts(head []byte, at int, magic string) bool {
	return len(head) >= at && bytes.HasPrefix(head[at:], []byte(magic))
}

// readAt fills p from offset off. A recording that ends before that is damaged, or has become
// shorter while it was read.
func readAt(src io.ReaderAt, p []byte, off int64) error {
	n, err := src.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return bad("it ends at byte %d, inside what should be there", off+int64(n))
	}
	return err
}
