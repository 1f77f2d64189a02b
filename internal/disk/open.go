package disk

import (
	"fmt"
	"os"
	"syscall"

	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// replacements is how often in a row a file may be replaced while it is being opened.
const replacements = 20

// open opens a regular file that is there, also while another process replaces it by a new one.
func (f *Folder) open(name string, flag int) (file *os.File, size int64, err error) {
	for range replacements {
		var same bool
		if file, size, same, err = f.openOnce(name, flag); err != nil || same {
			return file, size, err
		}
		file.Close()
	}
	return nil, 0, &Strange{f.Path(name), "another file than a moment ago", regular}
}

// openOnce opens a file and reports whether it is the regular file that had the name just before.
func (f *Folder) openOnce(name string, flag int) (file *os.File, size int64, same bool, err error) {
	before, err := f.regular(name)
	if err != nil {
		return nil, 0, false, err
	}
	if file, err = f.root.OpenFile(name, flag|syscall.O_NONBLOCK, 0); err != nil {
		return nil, 0, false, err
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, false, err
	}
	return file, info.Size(), os.SameFile(before, info), nil
}

// Open opens a regular file for reading, and returns its size in bytes.
func (f *Folder) Open(name string) (*os.File, int64, error) { return f.open(name, os.O_RDONLY) }

// Read reads a regular file of at most limit bytes. Its size is checked before its content is read.
func (f *Folder) Read(name string, limit int64) ([]byte, error) {
	file, size, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > limit {
		return nil, fmt.Errorf("the file has %d bytes, at most %d are allowed", size, limit)
	}
	data := make([]byte, size)
	return data, inputfile.Fill(file, data, 0)
}
