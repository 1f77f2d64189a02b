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
	"github.com/brainwavlm/bwlm/internal/disk"
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
	dir, name := disk.Split(path)
	folder, err := disk.Open(dir)
	if err != nil {
		return writeError(path, err)
	}
	defer folder.Close()
	return WriteIn(folder, name, write)
}

// WriteIn is [Write] for a name in a folder, on the way to which no link is followed.
func WriteIn(folder *disk.Folder, name string, write func(io.Writer) error) error {
	path := folder.Path(name)
	file, temp, err := createTemp(folder, name)
	if err != nil {
		return writeError(path, err)
	}
	done := false
	defer func() { // also when write panics
		if !done {
			file.Close()
			_ = folder.Remove(temp)
		}
	}()
	buffer := bufio.NewWriterSize(file, 1<<16)
	for _, step := range []func() error{
		func() error { return write(buffer) },
		buffer.Flush,
		file.Sync,
		file.Close,
		func() error { return folder.Rename(temp, name) },
	} {
		if err := step(); err != nil {
			return writeError(path, err)
		}
	}
	done = true
	return syncDir(folder, filepath.Dir(name))
}

// createTemp makes a new file next to a name, with the permissions that any new file gets.
func createTemp(folder *disk.Folder, name string) (*disk.File, string, error) {
	dir, base := filepath.Split(filepath.Clean(name))
	const most = 200 // of the 255 bytes that a name may have
	base = strings.ToValidUTF8(base[:min(len(base), most)], "")
	temp := filepath.Join(dir, fmt.Sprintf(".%s.%016x%s", base, rand.Uint64(), tempFile))
	file, err := folder.Create(temp, 0o666)
	return file, temp, err
}

// What is unfinished has a name like ".NAME.*.tmp", or "NAME.tmp.PID" if it is a folder.
const (
	tempFile   = ".tmp"
	tempFolder = ".tmp."
)

// Unfinished reports whether a name is one of those that hold what is not finished yet.
func Unfinished(name string, isFolder bool) bool {
	if isFolder {
		return strings.Contains(name, tempFolder)
	}
	return strings.HasPrefix(name, ".") && strings.HasSuffix(name, tempFile)
}

// Dir makes the folder path, which must not exist, with what fill puts into it. fill gets a
// temporary folder "PATH.tmp.PID". Its files and folders are synced, it is renamed to path, and the
// parent is synced. If a step fails, the temporary folder is removed. One left by a dead process of
// the same number is removed first, so only one goroutine may make path at a time.
func Dir(path string, fill func(dir string) error) error {
	return inParent(path, func(folder *disk.Folder, name string) error { return dirIn(folder, name, false, fill) })
}

// ReplaceDirIn makes a folder as [Dir] does, with a name in another folder. What has the name is
// removed when its successor is complete; a link that has it is removed, not followed.
func ReplaceDirIn(folder *disk.Folder, name string, fill func(dir string) error) error {
	return dirIn(folder, name, true, fill)
}

// inParent calls do with the folder of a path, and the name in it.
func inParent(path string, do func(folder *disk.Folder, name string) error) error {
	dir, name := disk.Split(path)
	folder, err := disk.Open(dir)
	if err != nil {
		return writeError(path, err)
	}
	defer folder.Close()
	return do(folder, name)
}

func dirIn(folder *disk.Folder, name string, replace bool, fill func(dir string) error) error {
	if _, err := folder.Lstat(name); err == nil && !replace {
		return fault.New(fault.Exists, writing, quote.OneLine(folder.Path(name)), "exists already").
			WithHint("choose another name or remove it")
	}
	temp := fmt.Sprintf("%s%s%d", name, tempFolder, os.Getpid())
	done := false
	defer func() {
		if !done {
			_ = folder.RemoveAll(temp)
		}
	}()
	for _, step := range []func() error{
		func() error { return folder.RemoveAll(temp) },
		func() error { return folder.Mkdir(temp, 0o777) },
		func() error { return fill(folder.Path(temp)) },
		func() error { return folder.SyncTree(temp) },
		func() error {
			if !replace {
				return nil
			}
			return folder.RemoveAll(name)
		},
		func() error { return folder.Rename(temp, name) },
	} {
		if err := step(); err != nil {
			return writeError(folder.Path(name), err)
		}
	}
	done = true
	return syncDir(folder, filepath.Dir(name))
}

// syncDir syncs a folder, so that the names in it survive a power cut.
func syncDir(folder *disk.Folder, name string) error {
	if err := folder.SyncDir(name); err != nil {
		return writeError(folder.Path(name), err)
	}
	return nil
}

// writeError makes the fault of an error that happened while path was written. A fault is returned
// as it is.
func writeError(path string, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	if strange := (*disk.Strange)(nil); errors.As(err, &strange) {
		return disk.Fault(writing, path, err)
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
