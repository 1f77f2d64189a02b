package probing

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/npy"
)

// Vectors are word vectors, such as GloVe's.
type Vectors struct {
	Width int
	of    map[string][]float32
}

// Of returns the vector of a word, or nil. Case and surrounding punctuation are ignored.
func (v *Vectors) Of(word string) []float32 { return v.of[Plain(word)] }

// Plain returns a word in lower case without surrounding punctuation.
func Plain(word string) string {
	return strings.ToLower(strings.TrimFunc(word, func(r rune) bool {
		return unicode.IsPunct(r) ||
			unicode.IsSpace(r)
	}))
}

// LoadVectors reads the vectors of the wanted words (nil: all). The file is GloVe's text format, a
// word and its numbers per line, or NAME.npy, (words, width), with NAME.vocab.txt or NAME.txt, a
// word per line. A folder stands for the only such file in it.
func LoadVectors(path string, wanted func(string) bool) (*Vectors, error) {
	path, err := vectorsFile(path)
	if err != nil {
		return nil, err
	}
	v := &Vectors{of: map[string][]float32{}}
	keep := func(word string) bool { return wanted == nil || wanted(word) }
	if strings.EqualFold(filepath.Ext(path), ".npy") {
		err = v.readNPY(path, keep)
	} else {
		err = v.readText(path, keep)
	}
	if err != nil {
		return nil, err
	}
	if v.Width == 0 {
		return nil, fault.New(fault.BadData, "read word vectors", path, "there are none")
	}
	return v, nil
}

// vectorsFile returns the file that a path stands for.
func vectorsFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fault.Wrap(fault.Missing, "read word vectors", path, err)
	}
	if !info.IsDir() {
		return path, nil
	}
	for _, pattern := range []string{"*.npy", "*.txt"} {
		if files, _ := filepath.Glob(filepath.Join(path, pattern)); len(files) == 1 {
			return files[0], nil
		}
	}
	return "", fault.New(fault.Usage, "read word vectors", path,
		"there is not exactly one .npy, nor one .txt").WithHint("name the file itself")
}

// maxVocabulary is the size of the largest list of words that is read; those of GloVe have 20 MB.
const maxVocabulary = 1 << 30

func (v *Vectors) readNPY(path string, keep func(string) bool) error {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	vocabulary := stem + ".vocab.txt"
	if _, err := os.Stat(vocabulary); err != nil {
		vocabulary = stem + ".txt"
	}
	text, err := inputfile.Read("read word vectors", vocabulary, maxVocabulary)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Wrap(fault.Missing, "read word vectors", vocabulary,
			fs.ErrNotExist).WithHint("put the words, one a line, into %s.vocab.txt", stem)
	}
	if err != nil {
		return err
	}
	a, err := npy.Read(path)
	if err != nil {
		return err
	}
	words := strings.Fields(string(text))
	if len(a.Shape) != 2 || a.Shape[0] != len(words) {
		return fault.New(fault.BadData, "read word vectors", path, "the shape is %v, the vocabulary has %d words",
			a.Shape, len(words))
	}
	x, err := a.Float32()
	if err != nil {
		return err
	}
	v.Width = a.Shape[1]
	for i, w := range words {
		if keep(w) {
			v.of[w] = x[i*v.Width : (i+1)*v.Width]
		}
	}
	return nil
}

func (v *Vectors) readText(path string, keep func(string) bool) error {
	f, _, err := inputfile.Open("read word vectors", path) // which waits for no pipe
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for line := 1; lines.Scan(); line++ {
		fields := strings.Fields(lines.Text())
		if line == 1 && len(fields) == 2 { // word2vec's head: how many, how wide
			continue
		}
		bad := func(why string, args ...any) error {
			return fault.New(fault.BadData, "read word vectors", path+":"+strconv.Itoa(line), why, args...)
		}
		if v.Width == 0 {
			v.Width = len(fields) - 1
		}
		if len(fields) < 2 || len(fields) <= v.Width {
			return bad("%d fields, want a word and %d numbers", len(fields), max(v.Width, 1))
		}
		word := strings.Join(fields[:len(fields)-v.Width], " ") // a few of GloVe's have blanks in them
		if !keep(word) {
			continue
		}
		x := make([]float32, v.Width)
		for i, field := range fields[len(fields)-v.Width:] {
			value, err := strconv.ParseFloat(field, 32)
			if err != nil || value-value != 0 {
				return bad("%q is not a number", field)
			}
			x[i] = float32(value)
		}
		v.of[word] = x
	}
	if err := lines.Err(); err != nil {
		return fault.Wrap(fault.IO, "read word vectors", path, err)
	}
	return nil
}
