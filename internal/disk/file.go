package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// File is a file that is written.
type File struct{ file *os.File }

// Write writes all of p.
func (f *File) Write(p []byte) (n int, err error) {
	if Step == nil {
		return f.file.Write(p)
	}
	for _, half := range [][]byte{p[:len(p)/2], p[len(p)/2:]} {
		if len(half) == 0 {
			continue
		}
		if err = step(OpWrite, f.file.Name()); err != nil {
			return n, err
		}
		k, err := f.file.Write(half)
		if n += k; err != nil {
			return n, err
		}
	}
	return n, nil
}

// Sync waits until the content is on the disk.
func (f *File) Sync() error {
	if err := step(OpSync, f.file.Name()); err != nil {
		return err
	}
	return f.file.Sync()
}

// Truncate cuts the file to a number of bytes.
func (f *File) Truncate(size int64) error {
	if err := step(OpTruncate, f.file.Name()); err != nil {
		return err
	}
	return f.file.Truncate(size)
}

// ReadAt reads from an offset.
func (f *File) ReadAt(p []byte, offset int64) (int, error) { return f.file.ReadAt(p, offset) }

// Stat describes the file.
func (f *File) Stat() (fs.FileInfo, error) { return f.file.Stat() }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// TryLock takes the kernel's lock on the file, which ends with the process, and reports whether it could.
func (f *File) TryLock() (bool, error) {
	raw, err := f.file.SyscallConn()
	if err != nil {
		return false, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
	if errors.Is(failed, syscall.EWOULDBLOCK) {
		return false, err
	}
	return failed == nil, errors.Join(err, failed)
}

// WriteNew makes a file at path with a content. It is not synced: the caller syncs its folder as a whole.
func WriteNew(path string, data []byte) error {
	dir, name := Split(path)
	return In(dir, func(f *Folder) error {
		file, err := f.Create(name, 0o666)
		if err != nil {
			return err
		}
		_, err = file.Write(data)
		return errors.Join(err, file.Close())
	})
}

// MkdirAll makes a folder that a user names, and those on the way to it, which may be links. The folder of each new one
// is synced.
func MkdirAll(dir string, perm fs.FileMode) error {
	dir = filepath.Clean(dir)
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent, name := Split(dir)
	if parent != dir {
		if err := MkdirAll(parent, perm); err != nil {
			return err
		}
	}
	return In(parent, func(f *Folder) error {
		if err := f.Mkdir(name, perm); err != nil {
			if info, failed := os.Stat(dir); failed == nil && info.IsDir() { // another process was faster
				return nil
			}
			return err
		}
		return f.SyncDir(".")
	})
}
