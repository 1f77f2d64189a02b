package tfevents

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
)

const writing = "write events"

// Scalar is a number with the name of its curve.
type Scalar struct {
	Tag   string
	Value float64
}

// Writer appends to one file of events. It belongs to one goroutine.
type Writer struct {
	file *os.File
	used bool // it has events other than its version
}

// Create makes a new file in a folder, which is made if necessary. Its name sorts after those of
// all existing files.
func Create(dir string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, failed(dir, err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, failed(dir, err)
	}
	second := time.Now().Unix()
	for _, e := range there {
		var t int64
		if rest, is := strings.CutPrefix(e.Name(), prefix); is {
			if _, err := fmt.Sscanf(rest, "%010d.", &t); err == nil && t >= second {
				second = t + 1
			}
		}
	}
	path := filepath.Join(dir, fmt.Sprintf("%s%010d.bwlm.%d", prefix, second, os.Getpid()))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, failed(dir, err)
	}
	w := &Writer{file: file}
	if err := w.put(0, version()); err != nil {
		_ = w.Close()
		return nil, err
	}
	return w, nil
}

const prefix = "events.out.tfevents."

// failed is the error of the operating system about a path.
func failed(path string, err error) error {
	if p, is := err.(*fs.PathError); is {
		err = p.Err
	}
	return fault.Wrap(fault.IO, writing, path, err).WithHint("make room, or choose another folder that can be written")
}

func (w *Writer) put(step int64, content []byte) error {
	seconds := float64(time.Now().UnixMicro()) / 1e6
	if _, err := w.file.Write(record(event(seconds, step, content))); err != nil {
		return failed(w.file.Name(), err)
	}
	return nil
}

// Start begins a session at a step: readers drop what earlier files have for this and later steps.
func (w *Writer) Start(step int64) error {
	w.used = true
	return w.put(step, start())
}

// Write writes numbers at a step.
func (w *Writer) Write(step int64, scalars ...Scalar) error {
	w.used = true
	return w.put(step, summary(scalars))
}

// Close closes the file, and removes it if nothing was written.
func (w *Writer) Close() error {
	err := w.file.Close()
	if !w.used {
		_ = os.Remove(w.file.Name())
	}
	return err
}
