package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Target is a folder that an operation makes as a whole, and the conditions on which it may replace
// one.
type Target struct {
	What   string   // the operation, as errors name it
	Dir    string   // the folder
	Force  bool     // replace it if there is one that holds nothing but Files
	Files  []string // all files that the operation makes
	Whole  string   // what they are together, as errors name it; "": what is made here
	Inputs []string // what the operation reads, which must not be replaced
}

// Check refuses a folder that exists and may not be replaced: a fault of kind Exists, or Usage if
// it is an input. Call it before the work, and [Target.Write] after it.
func (t Target) Check() error {
	if _, err := os.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return writeError(t.Dir, err)
	}
	refuse := func(why string, args ...any) *fault.Error {
		return fault.New(fault.Exists, t.What, quote.OneLine(t.Dir), why, args...).WithHint("choose another folder")
	}
	if !t.Force {
		return refuse("exists already").WithHint("choose another folder, or set Force to replace it")
	}
	for _, in := range t.Inputs {
		if sameFile(in, t.Dir) {
			return fault.New(fault.Usage, t.What, quote.OneLine(t.Dir), "is an input").WithHint("choose another folder")
		}
	}
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return refuse("is not a folder")
	}
	for _, e := range entries {
		if !slices.Contains(t.Files, e.Name()) || !e.Type().IsRegular() {
			return refuse("holds %s, which is no part of %s, so it is not replaced", quote.OneLine(e.Name()),
				cmp.Or(t.Whole, "what is made here"))
		}
	}
	return nil
}

// Write makes the folder as [Dir] does. An existing one, which Check must accept, is removed when
// its successor is complete.
func (t Target) Write(fill func(dir string) error) error {
	if _, err := os.Lstat(t.Dir); errors.Is(err, fs.ErrNotExist) {
		return Dir(t.Dir, fill)
	}
	if err := t.Check(); err != nil { // something may have been put there in the meantime
		return err
	}
	return inParent(t.Dir, func(parent *disk.Folder, name string) error {
		successor := fmt.Sprintf("%s.new.%d", name, os.Getpid())
		err := dirIn(parent, successor, false, fill)
		if err != nil {
			return err
		}
		if err = parent.RemoveAll(name); err == nil {
			err = parent.Rename(successor, name)
		}
		if err != nil {
			return fault.Wrap(fault.IO, t.What, quote.OneLine(t.Dir), err).
				WithHint("what was made is in %s", parent.Path(successor))
		}
		return syncDir(parent, ".")
	})
}

func sameFile(a, b string) bool {
	one, err := os.Stat(a)
	other, err2 := os.Stat(b)
	return err == nil && err2 == nil && os.SameFile(one, other)
}
