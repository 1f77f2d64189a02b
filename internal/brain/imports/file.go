package imports

import (
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/annex"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// File is a file of a source.
type File struct {
	Path     string    `json:"path"`
	Bytes    int64     `json:"bytes"` // -1 if content is missing whose size nobody says
	Modified time.Time `json:"modified,omitzero"`
	Key      string    `json:"key,omitempty"` // of git-annex or Git LFS

	key annex.Key
}

// File describes a file that is needed. One whose content is not there is added to Missing, and ok is false; that
// there is nothing at all is an error of kind Missing.
func (f *Found) File(path string) (file File, ok bool, err error) {
	key, there, err := annex.Of(path)
	if err != nil {
		return File{}, false, err
	}
	if there {
		file, err = fileAt(path)
		return file, err == nil, err
	}
	if key.Text == "" {
		return File{}, false, inputfile.Check(op, path)
	}
	file = File{Path: path, Bytes: key.Size, Key: key.Text, key: key}
	if !slices.ContainsFunc(f.Missing, func(m File) bool { return m.Path == path }) {
		f.Missing = append(f.Missing, file)
	}
	return file, false, nil
}

// fileAt describes a file whose content is there.
func fileAt(path string) (File, error) {
	key, _, err := annex.Of(path)
	if err != nil {
		return File{}, err
	}
	if err := inputfile.Check(op, path); err != nil {
		return File{}, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return File{}, inputfile.Error(op, path, err)
	}
	return File{Path: path, Bytes: info.Size(), Modified: info.ModTime().UTC(), Key: key.Text, key: key}, nil
}

// digested is a file that is read, and whose digest is computed from what is read in its order.
type digested struct {
	file *os.File
	size int64
	key  annex.Key
	sum  hash.Hash // nil: the key has no digest
	at   int64     // up to which the digest goes
}

// openDigested opens a file.
func openDigested(path string) (*digested, error) {
	key, _, err := annex.Of(path)
	if err != nil {
		return nil, err
	}
	file, size, err := inputfile.Open(op, path)
	if err != nil {
		return nil, err
	}
	return &digested{file: file, size: size, key: key, sum: key.Digester()}, nil
}

// nearBytes is the gap between two reads that is read for the digest, too.
const nearBytes = 1 << 16

// ReadAt reads from an offset.
func (d *digested) ReadAt(p []byte, offset int64) (int, error) {
	n, err := d.file.ReadAt(p, offset)
	if d.sum == nil || err != nil {
		return n, err
	}
	if gap := offset - d.at; gap > 0 && gap <= nearBytes {
		if err := d.skip(gap); err != nil {
			return 0, err
		}
	}
	if end := offset + int64(n); offset <= d.at && d.at < end {
		d.sum.Write(p[d.at-offset : n])
		d.at = end
	}
	return n, nil
}

// skip reads the next n bytes for the digest alone.
func (d *digested) skip(n int64) error {
	read, err := io.Copy(d.sum, io.NewSectionReader(d.file, d.at, n))
	d.at += read
	return err
}

// finish reads what is left and compares the digest with that of the key.
func (d *digested) finish() error {
	if d.sum == nil {
		return nil
	}
	if err := d.skip(d.size - d.at); err != nil {
		return inputfile.Error(op, d.file.Name(), err)
	}
	sum := d.sum.Sum(nil)
	if !d.key.Is(sum) {
		return fault.New(fault.BadData, op, quote.OneLine(d.file.Name()),
			"the content is not what the data set lists: its %s is %x, want %s", d.key.Kind, sum, d.key.Digest).
			WithHint("get the file again")
	}
	d.sum = nil
	return nil
}

// CheckDigest compares the content of a file with the digest of its key, if it has one.
func CheckDigest(path string) error {
	d, err := openDigested(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.finish()
}

// Close closes the file.
func (d *digested) Close() error { return d.file.Close() }

// Complete is an error of kind Missing if there is content that is not there: how much, and how to get it.
func (f *Found) Complete() error {
	if len(f.Missing) == 0 {
		return nil
	}
	bytes, all := f.MissingBytes()
	size := Size(bytes)
	if !all {
		size = "at least " + size
	}
	what := fmt.Sprintf("%d files, %s", len(f.Missing), size)
	if len(f.Missing) == 1 {
		what = fmt.Sprintf("%s, %s", relative(f.Source, f.Missing[0].Path), size)
	}
	hint := "run `git lfs pull` in it"
	if line := f.Get(); line != "" {
		hint = "run `" + line + "`"
	}
	return fault.New(fault.Missing, op, quote.OneLine(f.Source), "content is not there: %s", what).WithHint("%s", hint)
}

// MissingBytes is the size of the content that is not there, and whether all sizes are known.
func (f *Found) MissingBytes() (bytes int64, all bool) {
	all = true
	for _, m := range f.Missing {
		all = all && m.Bytes >= 0
		bytes += max(m.Bytes, 0)
	}
	return bytes, all
}

// Get is the command that gets the content that is not there, "" if there is none for git-annex to get.
func (f *Found) Get() string {
	var files []string
	in := "-d " + quoted(f.Source) + " "
	for _, m := range f.Missing {
		if strings.HasPrefix(m.Key, "sha256:") { // of Git LFS
			continue
		}
		if files = append(files, m.Path); relative(f.Source, m.Path) == m.Path { // of another data set
			in = ""
		}
	}
	if len(files) == 0 {
		return ""
	}
	return "datalad get " + in + strings.Join(inFolders(files), " ")
}

// inFolders puts a folder in the place of its files where nearly all of what is not there in it is wanted.
func inFolders(files []string) (out []string) {
	var dirs []string
	below := map[string][]string{}
	for _, file := range files {
		dir := filepath.Dir(file)
		if below[dir] == nil {
			dirs = append(dirs, dir)
		}
		below[dir] = append(below[dir], file)
	}
	for _, dir := range dirs {
		entries, _ := os.ReadDir(dir)
		absent := 0
		for _, e := range entries {
			if _, there, err := annex.Of(filepath.Join(dir, e.Name())); err == nil && !there {
				absent++
			}
		}
		if n := len(below[dir]); n > 1 && 10*n >= 9*absent && !slices.ContainsFunc(entries, os.DirEntry.IsDir) {
			out = append(out, quoted(dir))
			continue
		}
		for _, file := range below[dir] {
			out = append(out, quoted(file))
		}
	}
	return out
}

// quoted is a word of a command line.
func quoted(word string) string {
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@%") == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Size spells a number of bytes.
func Size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
