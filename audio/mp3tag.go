package audio

import "encoding/binary"

// An mp3Tag is what an encoder states about the whole file in a silent first frame.
type mp3Tag struct {
	found  bool
	frames int64 // with sound; 0 if not stated. Some programs count the frame of the tag as well
	bytes  int64 // from the frame of the tag on; 0 if not stated
	// The encoder's delay and padding in samples, including the decoder's 529; 0 if not stated.
	skip, drop int64
}

// decoderDelay is the delay of any Layer III decoder's filter bank in samples: 528 and 1 (LAME's
// technical FAQ).
const decoderDelay = 529

// readMP3Tag looks for a tag in a frame. Layouts: Xing's, with the extension of LAME; Fraunhofer's.
// Xing's stands after the side information; whether a checksum in front of that moves it depends on
// the program (LAME's stays in place).
func readMP3Tag(frame []byte) mp3Tag {
	f, ok := parseMP3Frame(frame)
	if !ok {
		return mp3Tag{}
	}
	_, after := f.sideInfo()
	if f.crc {
		after -= 2
	}
	for _, checksum := range []int{0, 2} {
		if checksum > 0 && !f.crc {
			break
		}
		if at := after + checksum; starts(frame, at, "Xing") || starts(frame, at, "Info") {
			return readXing(frame[at+4:])
		}
		if at := 4 + 32 + checksum; starts(frame, at, "VBRI") {
			return readVBRI(frame[at:])
		}
	}
	return mp3Tag{}
}

// readVBRI reads Fraunhofer's tag.
func readVBRI(tag []byte) mp3Tag {
	if len(tag) < 18 {
		return mp3Tag{found: true}
	}
	return mp3Tag{
		found:  true,
		bytes:  int64(binary.BigEndian.Uint32(tag[10:])),
		frames: int64(binary.BigEndian.Uint32(tag[14:])),
	}
}

// readXing reads what follows the name of Xing's tag.
func readXing(tag []byte) mp3Tag {
	t := mp3Tag{found: true}
	if len(tag) < 4 {
		return t
	}
	flags, tag := binary.BigEndian.Uint32(tag), tag[4:]
	for bit, length := range []int{4, 4, 100, 4} { // frames, bytes, table of contents, quality
		if flags>>bit&1 == 0 {
			continue
		}
		if len(tag) < length {
			return t
		}
		switch bit {
		case 0:
			t.frames = int64(binary.BigEndian.Uint32(tag))
		case 1:
			t.bytes = int64(binary.BigEndian.Uint32(tag))
		}
		tag = tag[length:]
	}
	if len(tag) >= 24 && (starts(tag, 0, "LAME") || starts(tag, 0, "Lavc") || starts(tag, 0, "Lavf")) {
		both := int64(tag[21])<<16 | int64(tag[22])<<8 | int64(tag[23])
		t.skip = both>>12 + decoderDelay
		t.drop = max(0, both&0xfff-decoderDelay)
	}
	return t
}
