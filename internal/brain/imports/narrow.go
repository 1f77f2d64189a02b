package imports

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"

	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/npyheader"
)

// narrow writes a .npy that this package made without some more of its columns.
func narrow(ctx context.Context, folder *disk.Folder, name string, s *Subject, r *Response, done *copied,
	leftOut []int, dtype elements.Kind, w io.Writer) (*copied, error) {
	in, _, err := folder.Open(name)
	if err != nil {
		return nil, disk.Fault(op, folder.Path(name), err)
	}
	defer in.Close()
	repeats, rows, voxels := r.Extent()
	size, shape := dtype.Size(), slices.Clone(r.Shape)
	gone, before := union(s.dropped(), leftOut), union(s.dropped(), done.LeftOut)
	shape[len(shape)-1] = voxels - len(before)
	from := bufio.NewReaderSize(in, 1<<18)
	if _, err := io.CopyN(io.Discard, from, int64(len(npyheader.Make(dtype, shape)))); err != nil {
		return nil, disk.Fault(op, folder.Path(name), err)
	}
	shape[len(shape)-1] = voxels - len(gone)
	out := &writer{dtype: dtype, sum: sha256.New()}
	out.to = bufio.NewWriterSize(io.MultiWriter(w, out.sum), 1<<18)
	out.raw(npyheader.Make(dtype, shape))
	var keep []int // places in a row of the file
	at := 0
	for v := range voxels {
		if _, is := slices.BinarySearch(before, v); is {
			continue
		}
		if _, is := slices.BinarySearch(gone, v); !is {
			keep = append(keep, at)
		}
		at++
	}
	row := make([]byte, at*size)
	for range repeats * rows {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(from, row); err != nil {
			return nil, disk.Fault(op, folder.Path(name), err)
		}
		for i, k := range keep {
			copy(row[i*size:], row[k*size:][:size])
		}
		out.raw(row[:len(keep)*size])
	}
	if err := out.flush(); err != nil {
		return nil, err
	}
	narrowed := *done
	narrowed.Bytes, narrowed.SHA256, narrowed.LeftOut = out.bytes, hex.EncodeToString(out.sum.Sum(nil)), leftOut
	return &narrowed, nil
}
