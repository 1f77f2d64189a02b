// Package jsonfile reads and writes the JSON files of a run and of an analysis.
package jsonfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// maxBytes is the size of the largest file that is read; a summary of a hundred subjects has a
// thousandth of it.
const maxBytes = 64 << 20

// Write writes v to the file at path as indented JSON, all of it or nothing.
func Write(path string, v any) error {
	return atomicfile.Write(path, func(w io.Writer) error { return Encode(w, v) })
}

// Encode writes v to w as indented JSON. The characters <, > and & stay as they are: no reader
// takes them for HTML.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Read reads the JSON file at path into v. An error is a fault of the operation op: of kind
// [fault.BadData] if the content is no JSON for v, and wrapping [io/fs.ErrNotExist] if there is no
// file.
func Read(op, path string, v any) error {
	text, err := inputfile.Read(op, path, maxBytes)
	if err != nil {
		return err
	}
	return parse(op, path, text, v)
}

// ReadIn is [Read] for a file that this program keeps in a folder: it follows no link.
func ReadIn(op string, folder *disk.Folder, name string, v any) error {
	path := folder.Path(name)
	text, err := folder.Read(name, maxBytes)
	if err != nil {
		return disk.Fault(op, path, err)
	}
	return parse(op, path, text, v)
}

// ReadOwn is [ReadIn] for a folder that is not open.
func ReadOwn(op, dir, name string, v any) error {
	folder, err := disk.Open(dir)
	if err != nil {
		return disk.Fault(op, filepath.Join(dir, name), err)
	}
	defer folder.Close()
	return ReadIn(op, folder, name, v)
}

// WriteIn writes v as [Write] does, to a name in a folder, on the way to which no link is followed.
func WriteIn(folder *disk.Folder, name string, v any) error {
	return atomicfile.WriteIn(folder, name, func(w io.Writer) error { return Encode(w, v) })
}

func parse(op, where string, text []byte, v any) error {
	if err := json.Unmarshal(text, v); err != nil {
		if other := sniff.Other(op, where, sniff.Bytes(text), "JSON", sniff.JSON); other != nil {
			return other
		}
		e := fault.Wrap(fault.BadData, op, quote.OneLine(where), err)
		return e.WithHint("write it again, or remove it")
	}
	return nil
}

// The limits of a file of lines: of a line, and of the file. A long training leaves a hundredth of it.
const (
	maxLine  = 1 << 20
	maxLines = 1 << 30
)

// ReadLines reads a file with a JSON value on each line, such as metrics.jsonl, which this program keeps: no link is
// followed. A last line without an end is what a killed process left, and is left out. Errors are those of [Read].
func ReadLines[T any](op, path string) ([]T, error) {
	file, size, err := openLines(path)
	if err != nil {
		return nil, disk.Fault(op, path, err)
	}
	defer file.Close()
	if size > maxLines {
		return nil, fault.New(fault.BadData, op, quote.OneLine(path), "the file has %d bytes, at most %d are allowed",
			size, maxLines)
	}
	var out []T
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	lines.Split(whole)
	for n := 1; lines.Scan(); n++ {
		var v T
		if err := parse(op, fmt.Sprintf("%s:%d", path, n), lines.Bytes(), &v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if err := lines.Err(); err != nil {
		return nil, inputfile.Error(op, path, err)
	}
	return out, nil
}

func openLines(path string) (*os.File, int64, error) {
	dir, name := disk.Split(path)
	folder, err := disk.Open(dir)
	if err != nil {
		return nil, 0, err
	}
	defer folder.Close()
	return folder.Open(name)
}

// whole is [bufio.ScanLines] without a last line that has no end.
func whole(data []byte, atEOF bool) (int, []byte, error) {
	if atEOF && !bytes.Contains(data, []byte{'\n'}) {
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, atEOF)
}

// AppendLine appends v as one line of JSON to the file at path and returns the file's length in bytes. The line is
// written by one call, so that lines of several processes do not mix. A last line without an end, which a killed
// process left, is cut off before, and what was written of a line that did not fit is taken back.
func AppendLine(op, path string, v any) (size int64, err error) {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(v); err != nil {
		return 0, fault.Wrap(fault.Internal, op, path, err)
	}
	dir, name := disk.Split(path)
	err = disk.In(dir, func(folder *disk.Folder) error {
		file, err := folder.OpenOrCreate(name, os.O_APPEND, 0o644)
		if err != nil {
			return err
		}
		defer file.Close()
		before, err := cutTail(file)
		if err != nil {
			return err
		}
		if _, err := file.Write(line.Bytes()); err != nil {
			return errors.Join(err, file.Truncate(before))
		}
		info, err := file.Stat()
		if err == nil {
			size = info.Size()
		}
		return err
	})
	if err != nil {
		return 0, disk.Fault(op, path, err)
	}
	return size, nil
}

// cutTail cuts off a last line that has no end, and returns the length of the file.
func cutTail(file *disk.File) (int64, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	size := info.Size()
	tail := make([]byte, min(size, maxLine))
	if err := inputfile.Fill(file, tail[len(tail)-1:], size-1); err != nil || tail[len(tail)-1] == '\n' {
		return size, err
	}
	if err := inputfile.Fill(file, tail, size-int64(len(tail))); err != nil {
		return size, err
	}
	size -= int64(len(tail) - 1 - bytes.LastIndexByte(tail, '\n'))
	return size, file.Truncate(size)
}
