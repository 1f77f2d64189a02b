package npz

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/stored"
)

// place is where a member lies in the file.
type place struct{ begin, size int64 }

// maxExpansion is how much deflate can expand.
const maxExpansion = 1032

// placeOf checks how a member is kept: as it is, or deflated, and not larger than deflate can make it.
func placeOf(m *zip.File) (place, error) {
	const encrypted = 1
	packed, unpacked := m.CompressedSize64, m.UncompressedSize64
	switch {
	case m.Flags&encrypted != 0:
		return place{}, errors.New("is encrypted")
	case m.Method != zip.Store && m.Method != zip.Deflate:
		return place{}, fmt.Errorf("is compressed by method %d, want stored or deflated", m.Method)
	case m.Method == zip.Store && packed != unpacked:
		return place{}, fmt.Errorf("has %d bytes stored as %d", unpacked, packed)
	case unpacked > math.MaxInt64 || unpacked/maxExpansion > packed:
		return place{}, fmt.Errorf("claims %d bytes, %d cannot hold as many", unpacked, packed)
	}
	begin, err := m.DataOffset()
	return place{begin, int64(packed)}, stored.Cut(err)
}

// apart refuses members that overlap, of which a small file could have many large ones.
func apart(places []place) error {
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.size, b.size))
	})
	end := int64(0)
	for _, p := range places {
		if p.begin < end {
			return errors.New("members of the zip archive overlap")
		}
		end = p.begin + p.size
	}
	return nil
}

// content is what a member holds.
func (f *File) content(m *zip.File, p place) io.ReaderAt {
	if m.Method == zip.Store {
		return io.NewSectionReader(f.from, p.begin, p.size)
	}
	// The reader of the archive compares the CRC at the end.
	return stored.NewForward(func() (io.Reader, error) { return m.Open() }, int64(m.UncompressedSize64))
}
