package raw

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"

	"github.com/brainwavlm/bwlm/fault"
)

// MaxBytes is the most that one file may hold or expand to.
const MaxBytes = 1 << 30

// ReadFile reads the whole file at path, a regular file of at most MaxBytes.
func ReadFile(what, path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(what, path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fault.New(fault.Missing, what, OneLine(path), "is a folder or device, not a file").WithHint("check the path")
	}
	if info.Size() > MaxBytes {
		return nil, Bad(what, path, "the file has %d bytes, %d are allowed", info.Size(), MaxBytes).WithHint("keep only the maps that are needed")
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, unreadable(what, path, err)
	}
	defer file.Close()
	data := make([]byte, info.Size())
	if _, err := io.ReadFull(file, data); err != nil {
		return nil, unreadable(what, path, err)
	}
	if isPointer(data) {
		return nil, fault.New(fault.Missing, what, OneLine(path), "is a git-annex or LFS link without content").
			WithHint("run `datalad get`, `git annex get` or `git lfs pull` on it")
	}
	return data, nil
}

// isPointer tells a file that only says where its content is kept.
func isPointer(data []byte) bool {
	return len(data) < 1024 && (bytes.HasPrefix(data, []byte("/annex/objects/")) ||
		bytes.HasPrefix(data, []byte("version https://git-lfs.github.com/")))
}

func unreadable(what, path string, err error) *fault.Error {
	e := &fault.Error{Kind: fault.IO, Op: what, Path: OneLine(path), Reason: reason(err), Hint: "check the disk", Err: err}
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		e.Reason, e.Hint = "the file became shorter while it was read", "try again when nothing writes it"
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Hint = fault.Missing, "check the path"
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Hint = fault.Missing, "make it readable for this user"
	}
	return e
}

// reason is err without the path that a fault names already.
func reason(err error) string {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// Bad says that a file is not what it must be.
func Bad(what, path, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, what, OneLine(path), why, args...)
}

// Damaged is Bad for content that no sound program writes.
func Damaged(what, path string, err error) *fault.Error {
	return Bad(what, path, "%s", OneLine(err.Error())).WithHint("the file is damaged or was made by a faulty program: get it again")
}

// OneLine quotes text that holds something unprintable.
func OneLine(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}

// Short cuts a text that came from a file to a length that a message can bear.
func Short(text string) string {
	const most = 80
	if len(text) <= most {
		return text
	}
	return text[:most] + "…"
}
