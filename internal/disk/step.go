package disk

import (
	"io/fs"
	"path/filepath"
)

// Op is a kind of step.
type Op string

// The kinds of steps.
const (
	OpCreate   Op = "create"
	OpWrite    Op = "write"
	OpSync     Op = "sync"
	OpTruncate Op = "truncate"
	OpRename   Op = "rename" // the path is the new one
	OpMkdir    Op = "mkdir"
	OpRemove   Op = "remove"
	OpTouch    Op = "touch"
)

// Step is for tests. If it is set before the first operation, it is called before each change of the file system; its
// error is that of the operation, which does nothing then. A write of several bytes is two steps, one for each half, so
// that an end between them leaves half of it.
var Step func(op Op, path string) error

// step is called before each change.
func step(op Op, path string) error {
	if Step == nil {
		return nil
	}
	path = filepath.Clean(path)
	if err := Step(op, path); err != nil {
		return &fs.PathError{Op: string(op), Path: path, Err: err}
	}
	return nil
}
