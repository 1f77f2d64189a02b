package audio

import "fmt"

// An mp3Reservoir counts the bytes of earlier frames that go-mp3 retains. The data of a Layer III
// frame may begin in the frames before it, in their unused bytes: the bit reservoir. Source: ISO/IEC
// 11172-3, 2.4.2.7, main_data_begin.
type mp3Reservoir struct {
	bytes int
}

// next takes a frame with its side information. whole is false if the data of the frame begin before
// the bytes that are retained. keep is the number of retained bytes that the frame asks for or, if it
// is not whole, the most that it can ask for, so that the frames after it find them.
func (r *mp3Reservoir) next(f mp3Frame, side []byte) (whole bool, keep int) {
	keep = f.reservoir(side)
	if whole = keep <= r.bytes; !whole {
		keep = r.bytes
	}
	_, end := f.sideInfo()
	r.bytes = keep + f.size() - end
	return whole, keep
}

// mp3Silences are the frames of a file whose data begin before what is there.
type mp3Silences struct {
	first   int64 // number of them before the first whole frame
	later   int64
	run     int64 // up to now
	longest int64
}

// add counts the frame of an index.
func (s *mp3Silences) add(whole bool, index int64) {
	switch {
	case whole:
		s.run = 0
		return
	case s.first == index:
		s.first++
	default:
		s.later++
	}
	s.run++
	s.longest = max(s.longest, s.run)
}

// A cut may leave maxSilentRun seconds of silence, about what a full reservoir takes at the lowest
// bit rates. Anywhere else the part maxSilent of all frames may be silent.
const (
	maxSilentRun = 0.2
	maxSilent    = 0.01
)

// tooMuch is the reason why the silences are no effect of one cut, empty if they may be.
func (s *mp3Silences) tooMuch(scan *mp3Scan) string {
	frame := float64(scan.first.samples()) / float64(scan.first.rate) // s
	if run := float64(s.longest) * frame; run > maxSilentRun {
		return fmt.Sprintf("%.2f s in a row need MP3 data from before them that are missing and would be silent; "+
			"at most %g s are accepted", run, maxSilentRun)
	}
	if float64(s.later) > maxSilent*float64(scan.frames) {
		return fmt.Sprintf("%d of %d MP3 frames need data from before them that are missing and would be silent; "+
			"at most %g %% are accepted", s.later, scan.frames, 100*maxSilent)
	}
	return ""
}

// note tells which frames are silent, empty if none is.
func (s *mp3Silences) note(scan *mp3Scan) string {
	n := s.first + s.later
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d MP3 frames (%.2f s) need data that were cut off before them: silent", n, scan.frames,
		float64(n*int64(scan.first.samples()))/float64(scan.first.rate))
}
