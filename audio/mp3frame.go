package audio

import "encoding/binary"

// An mp3Frame is the four-byte header of an MPEG audio frame. Source: ISO/IEC 11172-3, 2.4.1.3 and
// 2.4.2.3.
type mp3Frame struct {
	version  int // 1 or 2; 25 for the unofficial 2.5
	layer    int
	crc      bool
	bitrate  int // bits per second; 0 for free format
	rate     int // Hz
	padding  int // bytes
	channels int
	joint    int // mode extension of joint stereo: 1 intensity, 2 mid/side
}

var (
	mpegRates = map[int][3]int{1: {44100, 48000, 32000}, 2: {22050, 24000, 16000}, 25: {11025, 12000, 8000}}
	// Layer III bit rates in kbit/s.
	mp3Bitrates1 = [15]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}
	mp3Bitrates2 = [15]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}
)

// parseMP3Frame reads a frame header; ok is false where there is none.
func parseMP3Frame(b []byte) (f mp3Frame, ok bool) {
	if len(b) < 4 {
		return f, false
	}
	h := binary.BigEndian.Uint32(b)
	version, layer := h>>19&3, h>>17&3
	bitrate, rate := h>>12&15, h>>10&3
	if h>>21 != 0x7ff || version == 1 || layer == 0 || bitrate == 15 || rate == 3 || h&3 == 2 {
		return f, false
	}
	f = mp3Frame{
		version:  [4]int{25, 0, 2, 1}[version],
		layer:    int(4 - layer),
		crc:      h>>16&1 == 0,
		padding:  int(h >> 9 & 1),
		channels: 2,
	}
	f.rate = mpegRates[f.version][rate]
	switch mode := h >> 6 & 3; mode {
	case 1:
		f.joint = int(h >> 4 & 3)
	case 3:
		f.channels = 1
	}
	f.bitrate = mp3Bitrates2[bitrate] * 1000
	if f.version == 1 {
		f.bitrate = mp3Bitrates1[bitrate] * 1000
	}
	return f, true
}

// refuse returns the reason why a frame cannot be decoded, nil if it can.
func (f mp3Frame) refuse() error {
	advice := "convert it to FLAC or WAV"
	switch {
	case f.layer != 3:
		return bad("it is MPEG audio of layer %d, not MP3", f.layer).WithHint("%s", advice)
	case f.version == 25:
		return bad("it is MP3 of the unofficial MPEG 2.5 (%d Hz)", f.rate).WithHint("%s", advice)
	case f.bitrate == 0:
		return bad("it is MP3 of free format").WithHint("%s", advice)
	case f.version == 2 && f.joint&1 != 0:
		return bad("it is MPEG-2 MP3 with intensity stereo").WithHint("%s", advice)
	case f.padding == 1 && f.size() != f.sizeInDecoder():
		return bad("it is MPEG-2 MP3 of %d kbit/s at %d Hz, which the decoder misreads", f.bitrate/1000, f.rate).
			WithHint("%s", advice)
	}
	return nil
}

// samples is the length of a frame, per channel.
func (f mp3Frame) samples() int {
	if f.version == 1 {
		return 1152
	}
	return 576
}

// size is the frame's length in bytes, header included.
func (f mp3Frame) size() int { return f.samples()/8*f.bitrate/f.rate + f.padding }

// sizeInDecoder is the size that go-mp3 0.3.4 computes: for MPEG-2 it halves after adding the
// padding.
func (f mp3Frame) sizeInDecoder() int {
	size := 144*f.bitrate/f.rate + f.padding
	if f.version != 1 {
		size /= 2
	}
	return size
}

// sideInfo is the range of the frame's side information.
func (f mp3Frame) sideInfo() (start, end int) {
	start = 4
	if f.crc {
		start += 2
	}
	switch {
	case f.version == 1 && f.channels == 2:
		return start, start + 32
	case f.version == 1 || f.channels == 2:
		return start, start + 17
	}
	return start, start + 9
}

// reservoir is the number of bytes before the frame at which its data begin, in the frames before
// it.
func (f mp3Frame) reservoir(side []byte) int {
	if f.version == 1 {
		return int(side[0])<<1 | int(side[1])>>7
	}
	return int(side[0])
}

// silence clears the side information, so that the frame decodes to silence, and has it ask for keep
// bytes of the frames before it.
func (f mp3Frame) silence(side []byte, keep int) {
	clear(side)
	if f.version == 1 {
		keep = min(keep, 1<<9-1)
		side[0], side[1] = byte(keep>>1), byte(keep<<7)
		return
	}
	side[0] = byte(min(keep, 1<<8-1))
}

// follows reports whether f can belong to the same recording as first.
func (f mp3Frame) follows(first mp3Frame) bool {
	return f.version == first.version && f.layer == first.layer && f.rate == first.rate
}

// isMPEG reports whether head starts like an MPEG audio stream.
func isMPEG(head []byte) bool {
	_, ok := parseMP3Frame(head)
	return ok
}
