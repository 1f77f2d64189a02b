package imports

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// commitOf returns the commit that a folder of git is at, "" if it is none or that is not plain to see.
func commitOf(dir string) string {
	git := filepath.Join(dir, ".git")
	if text, ok := small(git); ok { // a worktree or submodule
		at, ok := strings.CutPrefix(text, "gitdir: ")
		if !ok {
			return ""
		}
		if git = at; !filepath.IsAbs(git) {
			git = filepath.Join(dir, at)
		}
	}
	head, ok := small(filepath.Join(git, "HEAD"))
	ref, symbolic := strings.CutPrefix(head, "ref: ")
	if !ok || !symbolic {
		return digits(head)
	}
	if !filepath.IsLocal(ref) {
		return ""
	}
	if text, ok := small(filepath.Join(git, ref)); ok {
		return digits(text)
	}
	packed, err := os.Open(filepath.Join(git, "packed-refs"))
	if err != nil {
		return ""
	}
	defer packed.Close()
	for lines := bufio.NewScanner(packed); lines.Scan(); {
		if commit, name, _ := strings.Cut(lines.Text(), " "); name == ref {
			return digits(commit)
		}
	}
	return ""
}

// digits is text if it is a commit.
func digits(text string) string {
	if len(text) < 40 || strings.Trim(text, "0123456789abcdef") != "" {
		return ""
	}
	return text
}

// small is the one line of a small file.
func small(path string) (string, bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > 4096 {
		return "", false
	}
	text, err := os.ReadFile(path)
	return strings.TrimSpace(string(text)), err == nil
}

// Describe takes licence, citation and version from dataset_description.json and CHANGES of a BIDS folder, as
// far as they are there.
func (f *Found) Describe() {
	var d struct {
		Name, License, HowToAcknowledge, DatasetDOI string
	}
	if jsonfile.Read(op, filepath.Join(f.Source, "dataset_description.json"), &d) == nil {
		f.Licence = d.License
		if f.Citation = strings.Join(strings.Fields(d.HowToAcknowledge), " "); f.Citation == "" {
			f.Citation = strings.TrimSpace(strings.Join(strings.Fields(d.Name), " ") + " " + d.DatasetDOI)
		}
	}
	file, err := os.Open(filepath.Join(f.Source, "CHANGES"))
	if err != nil {
		return
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); { // the newest is first
		fields := strings.Fields(lines.Text())
		if len(fields) > 0 && strings.Trim(fields[0], "0123456789.") == "" {
			f.Version = strings.Trim(fields[0], ".")
			return
		}
	}
}
