// Package atomicfile writes files and folders that appear whole or not at all, also after a crash
// or a power cut. Everything in bwlm that writes a result uses it.
//
// Two things remain to the caller. A process that is killed leaves its temporary file
// (".NAME.*.tmp") or folder ("NAME.tmp.PID") behind. Two processes that fill the same folder must
// exclude each other by a lock.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const writing = "write"

// Write writes the file at path through write: path holds either all of it or what it held before.
// The bytes go to a temporary file in the same folder, which is synced and renamed to path; then
// the folder is synced. If a step fails, the temporary file is removed. A link at path is replaced,
// not followed; a folder or device there is refused. An error of write that is a fault is returned
// as it is.
func Write(path string, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return fault.New(fault.Exists, writing, quote.OneLine(path), "a folder or device is there").
			WithHint("choose another name")
	}
	file, err := createTemp(path)
	if err != nil {
		return writeError(path, err)
	}
	done := false
	defer func() { // also when write panics
		if !done {
			file.Close()
			os.Remove(file.Name())
		}
	}()
	buffer := bufio.NewWriterSize(file, 1<<16)
	for _, step := range []func() error{
		func() error { return write(buffer) },
		buffer.Flush,
		file.Sync,
		file.Close,
		func() error { return os.Rename(file.Name(), path) },
	} {
		if err := step(); err != nil {
			return writeError(path, err)
		}
	}
	done = true
	return syncDir(filepath.Dir(path))
}

// createTemp makes a new file next to path, with the permissions that any new file gets.
func createTemp(path string) (*os.File, error) {
	dir, base := filepath.Split(filepath.Clean(path))
	const most = 200 // of the 255 bytes that a name may have
	base = strings.ToValidUTF8(base[:min(len(base), most)], "")
	name := fmt.Sprintf(".%s.%016x.tmp", base, rand.Uint64())
	return os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// Dir makes the folder path, which must not exist, with what fill puts into it. fill gets a
// temporary folder "PATH.tmp.PID". Its files and folders are synced, it is renamed to path, and the
// parent is synced. If a step fails, the temporary folder is removed. One left by a dead process of
// the same number is removed first, so only one goroutine may make path at a time.
func Dir(path string, fill func(dir string) error) error {
	path = filepath.Clean(path)
	if _, err := os.Lstat(path); err == nil {
		return fault.New(fault.Exists, writing, quote.OneLine(path), "exists already").
			WithHint("choose another name or remove it")
	}
	temp := fmt.Sprintf("%s.tmp.%d", path, os.Getpid())
	done := false
	defer func() {
		if !done {
			os.RemoveAll(temp)
		}
	}()
	for _, step := range []func() error{
		func() error { return os.RemoveAll(temp) },
		func() error { return os.Mkdir(temp, 0o777) },
		func() error { return fill(temp) },
		func() error { return syncTree(temp) },
		func() error { return os.Rename(temp, path) },
	} {
		if err := step(); err != nil {
			return writeError(path, err)
		}
	}
	done = true
	return syncDir(filepath.Dir(path))
}

// syncTree syncs the files and folders under dir, each folder after what it holds.
func syncTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case e.IsDir():
			err = syncTree(path)
		case e.Type().IsRegular():
			err = syncPath(path)
		}
		if err != nil {
			return err
		}
	}
	return syncDir(dir)
}

// syncDir syncs a folder, so that the names in it survive a power cut.
func syncDir(dir string) error {
	err := syncPath(dir)
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // some network file systems cannot sync a folder
	}
	if err != nil {
		return writeError(dir, err)
	}
	return nil
}

// syncPath syncs one file. It does not retry: after a failed sync the kernel may have dropped the
// data.
func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// writeError makes the fault of an error that happened while path was written. A fault is returned
// as it is.
func writeError(path string, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	e := &fault.Error{Kind: fault.IO, Op: writing, Path: quote.OneLine(path), Reason: inputfile.Reason(err), Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Hint = "free some space"
	case errors.Is(err, syscall.EFBIG):
		e.Hint = "raise the limit on the size of files (ulimit -f)"
	case errors.Is(err, fs.ErrExist):
		e.Kind, e.Hint = fault.Exists, "choose another name or remove it"
	case errors.Is(err, fs.ErrNotExist):
		e.Hint = "make its folder first"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		e.Hint = "choose a folder that may be written to"
	case errors.Is(err, syscall.EIO):
		e.Hint = "check the disk"
	}
	return e
}
