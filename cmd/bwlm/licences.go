package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
)

// printLicences prints the licence texts that tools/dist put beside the program. It needs no libtorch.
func printLicences(a *app) error {
	path, err := licencesPath()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Missing, "print licences", path, err).
			WithHint("packages made by `make dist` and `make wheel` have the texts; a build from source is under " +
				"LICENSE, and its modules have theirs in the module cache")
	}
	if err != nil {
		return fault.Wrap(fault.IO, "print licences", path, err)
	}
	answer := struct {
		Schema int    `json:"schema"`
		Path   string `json:"path"`
		Text   string `json:"text"`
	}{1, path, string(text)}
	return a.answer(answer, func(w io.Writer) error {
		_, err := w.Write(text)
		return err
	})
}

// licencesPath returns share/licences.txt of the package that this program lies in.
func licencesPath() (string, error) {
	self, err := os.Executable()
	if err == nil {
		self, err = filepath.EvalSymlinks(self)
	}
	if err != nil {
		return "", fault.Wrap(fault.IO, "print licences", "", err)
	}
	return filepath.Join(filepath.Dir(self), "..", "share", "licences.txt"), nil
}
