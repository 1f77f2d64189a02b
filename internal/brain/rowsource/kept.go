package rowsource

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"syscall"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/proc"
)

// Why responses are not read where they lie.
const (
	Text       = "text"
	ByColumn   = "stored column by column"
	Compressed = "compressed or in chunks"
)

// Kept is a folder of copies of responses that are not stored by rows, which are read from the copies. A copy is a .npy
// file of float32 by rows. It is made once and named by a hash of the path, size, time and inode of the original, so
// that a changed file has another.
type Kept struct {
	Dir  string // "": none
	Only bool   // copies that are there are read, and none is made
}

func (k *Kept) none() bool { return k == nil || k.Dir == "" }

// Copy is a Source that is read from a copy.
type Copy struct {
	Source
	Why    string
	stored string
	array  string
}

// Stored returns the type in the original if it is not a float.
func (c Copy) Stored() string { return c.stored }

// Array returns the name of the array in the original.
func (c Copy) Array() string { return c.array }

// Open opens a file by its header and returns it, or its copy where its rows are not stored together.
func (k *Kept) Open(ctx context.Context, path string, open func() (Source, error)) (Source, error) {
	s, err := open()
	if err != nil {
		return nil, err
	}
	why := whyCopied(s)
	if why == "" || k.none() {
		return s, nil
	}
	c := Copy{Why: why}
	if of, ok := s.(interface{ Stored() string }); ok {
		c.stored = of.Stored()
	}
	if of, ok := s.(interface{ Array() string }); ok {
		c.array = of.Array()
	}
	c.Source, err = k.copied(ctx, path, c.array, func() (Source, error) { return s, nil })
	if err != nil {
		return s, context.Cause(ctx) // which is slow, and not worth a failure
	}
	return c, nil
}

// OpenText returns the copy of a file that read reads whole.
func (k *Kept) OpenText(ctx context.Context, path string, read func() (Source, error)) (Source, error) {
	if k.none() {
		return read()
	}
	var held Source
	s, err := k.copied(ctx, path, "", func() (Source, error) {
		found, err := read()
		if err == nil {
			held = found
		}
		return found, err
	})
	switch {
	case err == nil:
		return Copy{Source: s, Why: Text}, nil
	case held != nil: // no room for a copy is not worth a failure
		return held, context.Cause(ctx)
	}
	return nil, err
}

// whyCopied tells why a source is read from a copy, "" if it is not.
func whyCopied(s Source) string {
	switch s.(type) {
	case *packed:
		return Compressed
	case Columns:
		return ByColumn
	}
	return ""
}

// copied opens the copy of an array of a file, which it makes of the original if it is not there.
func (k *Kept) copied(ctx context.Context, path, array string, original func() (Source, error)) (Source, error) {
	name, ok := k.name(path, array)
	if s, err := Open(name); ok && err == nil {
		return s, nil
	}
	s, err := original()
	if err != nil {
		return nil, err
	}
	if k.Only || !ok {
		return nil, fs.ErrNotExist
	}
	if err := k.write(ctx, name, s); err != nil {
		return nil, err
	}
	return Open(name)
}

// name returns the path of a copy; false for what is no file.
func (k *Kept) name(path, array string) (string, bool) {
	const format = 1 // of what is copied how
	key, ok := inputfile.Identity(path, fmt.Sprintf("responses by rows %d\n%s", format, array))
	return filepath.Join(k.Dir, hex.EncodeToString(key[:])), ok
}

// leftFree are the bytes of the disk that copies leave.
const leftFree = 1 << 30

// write writes a copy, some rows at a time.
func (k *Kept) write(ctx context.Context, name string, s Source) error {
	repeats, rows, columns := s.Shape()
	if err := disk.MkdirAll(k.Dir, 0o777); err != nil {
		return disk.Fault(reading, k.Dir, err)
	}
	need := 4 * int64(repeats) * int64(rows) * int64(columns)
	if free := proc.FreeDisk(k.Dir); free < need+leftFree {
		return disk.Fault(reading, k.Dir, fmt.Errorf("%w: a copy takes %d MB", syscall.ENOSPC, need>>20))
	}
	shape := []int{rows, columns}
	if repeats > 1 {
		shape = []int{repeats, rows, columns}
	}
	step := min(rows, max(1, copyBytes/4/columns))
	buffer := make([]float32, step*columns)
	return atomicfile.Write(name, func(w io.Writer) error {
		if _, err := w.Write(npyheader.Make(elements.Float32, shape)); err != nil {
			return err
		}
		for repeat := range repeats {
			for from := 0; from < rows; from += step {
				to := min(from+step, rows)
				if err := context.Cause(ctx); err != nil {
					return err
				}
				if err := s.ReadRows(ctx, repeat, from, to, buffer); err != nil {
					return err
				}
				if _, err := elements.Write(w, buffer[:(to-from)*columns]); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// copyBytes is how much of an original is read at a time, 256 MB but in tests: each time all of one that is stored by
// columns is read.
var copyBytes = 256 << 20
