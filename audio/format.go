package audio

import (
	"bytes"
	"io"

	"github.com/brainwavlm/bwlm/internal/sniff"
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
	return nil, foreign(src, size, head)
}

// foreign is the error of content that is not decoded here.
func foreign(src io.ReaderAt, size int64, head []byte) error {
	kind := sniff.Of(src, size)
	if sound[kind] {
		return bad("%s is not supported", kind).WithHint("convert it to FLAC or 16-bit WAV")
	}
	if other := sniff.Other(reading, "", kind, "WAV, FLAC or MP3", sniff.WAV, sniff.FLAC, sniff.MP3); other != nil {
		return other
	}
	return bad("neither WAV, FLAC nor MP3; it starts with %q", head[:min(len(head), 12)]).
		WithHint("convert it to FLAC or 16-bit WAV")
}

// sound are kinds of recordings that are not decoded.
var sound = map[sniff.Kind]bool{
	"big-endian WAV (RIFX)": true, "a RIFF file, but not WAV": true, "Sony Wave64": true,
	"Ogg (Vorbis or Opus)": true, "AIFF": true, "Sun audio": true, "Core Audio": true,
	"MPEG-4 (AAC or ALAC)": true, "NIST SPHERE": true, "Matroska or WebM": true,
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
