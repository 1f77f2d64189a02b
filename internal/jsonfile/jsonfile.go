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

// ReadIn is [Read] for a file inside root, and follows no link out of it.
func ReadIn(op string, root *os.Root, name string, v any) error {
	path := filepath.Join(root.Name(), name)
	file, err := root.Open(name)
	if err != nil {
		return inputfile.Error(op, path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err == nil && len(text) > maxBytes {
		err = fmt.Errorf("the file has more than %d bytes", maxBytes)
	}
	if err != nil {
		return inputfile.Error(op, path, err)
	}
	return parse(op, path, text, v)
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

// ReadLines reads a file with a JSON value on each line, such as metrics.jsonl. Its errors are
// those of [Read].
func ReadLines[T any](op, path string) ([]T, error) {
	file, _, err := inputfile.Open(op, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var out []T
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
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

// AppendLine appends v as one line of JSON to the file at path and returns the file's length in
// bytes. The line is written by one call, so that lines of several processes do not mix.
func AppendLine(op, path string, v any) (size int64, err error) {
	var line bytes.Buffer
	if err := json.NewEncoder(&line).Encode(v); err != nil {
		return 0, fault.Wrap(fault.Internal, op, path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, fault.Wrap(fault.IO, op, path, err)
	}
	_, err = file.Write(line.Bytes())
	info, statErr := file.Stat()
	if err = errors.Join(err, statErr, file.Close()); err != nil {
		return 0, fault.Wrap(fault.IO, op, path, err)
	}
	return info.Size(), nil
}
