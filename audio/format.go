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

// foreign is the error of content that is not decoded here.
func foreign(head []byte) error {
	kind := ""
	switch {
	case starts(head, 0, "RIFX"):
		kind = "big-endian WAV (RIFX)"
	case starts(head, 0, "RIFF"):
		kind = "a RIFF file, but not WAV"
	case starts(head, 0, "riff\x2e\x91\xcf\x11"):
		kind = "Sony Wave64"
	case starts(head, 0, "OggS"):
		kind = "Ogg (Vorbis or Opus)"
	case starts(head, 0, "FORM"):
		kind = "AIFF"
	case starts(head, 0, ".snd"):
		kind = "Sun audio"
	case starts(head, 0, "caff"):
		kind = "Core Audio"
	case starts(head, 4, "ftyp"):
		kind = "MPEG-4 (AAC or ALAC)"
	case starts(head, 0, "NIST_1A"):
		kind = "NIST SPHERE"
	case starts(head, 0, "\x1a\x45\xdf\xa3"):
		kind = "Matroska or WebM"
	default:
		return bad("neither WAV, FLAC nor MP3; it starts with %q", head[:min(len(head), 12)]).
			WithHint("convert it to FLAC or 16-bit WAV")
	}
	return bad("%s is not supported", kind).WithHint("convert it to FLAC or 16-bit WAV")
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
