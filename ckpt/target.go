package ckpt

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Target is a folder that an operation makes as a whole, and the conditions on which it may replace one.
type Target struct {
	What   string   // the operation, as errors name it
	Dir    string   // the folder
	Force  bool     // replace it if there is one that holds nothing but Files
	Files  []string // all files that the operation makes
	Whole  string   // what they are together, as errors name it; "": what is made here
	Inputs []string // what the operation reads, which must not be replaced
}

// Check wants the folder not to be there, or to be one that may be replaced; else it gives a fault of kind Exists, or
// Usage if it is an input. It comes before the work, Write after it.
func (t Target) Check() error {
	if _, err := os.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return writeError(t.Dir, err)
	}
	refuse := func(why string, args ...any) *fault.Error {
		return fault.New(fault.Exists, t.What, oneLine(t.Dir), why, args...).Advise("choose another folder")
	}
	if !t.Force {
		return refuse("exists already").Advise("choose another folder, or replace it with --force")
	}
	for _, in := range t.Inputs {
		if sameFile(in, t.Dir) {
			return fault.New(fault.Usage, t.What, oneLine(t.Dir), "is an input").Advise("choose another folder")
		}
	}
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return refuse("is not a folder")
	}
	for _, e := range entries {
		if !slices.Contains(t.Files, e.Name()) || !e.Type().IsRegular() {
			return refuse("holds %s, which is no part of %s, so it is not replaced", oneLine(e.Name()), cmp.Or(t.Whole, "what is made here"))
		}
	}
	return nil
}

// Write makes the folder as [AtomicDir] does. One that is there, which Check must have accepted, goes when its
// successor is whole.
func (t Target) Write(fill func(dir string) error) error {
	if _, err := os.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return AtomicDir(t.Dir, fill)
	}
	if err := t.Check(); err != nil { // something may have been put there in the meantime
		return err
	}
	successor := fmt.Sprintf("%s.new.%d", filepath.Clean(t.Dir), os.Getpid())
	err := AtomicDir(successor, fill)
	if err != nil {
		return err
	}
	if err = os.RemoveAll(t.Dir); err == nil {
		err = os.Rename(successor, t.Dir)
	}
	if err != nil {
		return fault.Wrap(fault.IO, t.What, oneLine(t.Dir), err).Advise("what was made is in %s", successor)
	}
	return syncDir(filepath.Dir(filepath.Clean(t.Dir)))
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}
