package ckpt

import (
	"archive/zip"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Hints for files that are sound but in a form that is not read, and for files that are not sound.
const (
	saveAgain = "if you trust it, save it again: " +
		"python -c \"import torch; f = 'FILE'; torch.save(torch.load(f, weights_only=True), f)\""
	distrust = "do not open it with another program either; " +
		"get the weights as safetensors from where they were published"
)

// archive is the directory of a file by torch.save: a zip archive whose entries are stored as they
// are, in one folder of any name (see serialization in PyTorch's
// docs/source/notes/serialization.rst).
//
//	ROOT/data.pkl    a pickle that says what tensors there are
//	ROOT/data/KEY    their storages, little-endian
//	ROOT/byteorder   "little" or "big"; older files have none and are little-endian
//	ROOT/...         a version and the like, which say nothing of the tensors
type archive struct {
	members map[string]member // by name without ROOT/
	file    io.ReaderAt
}

// member is the place of an entry's bytes in the file.
type member struct{ begin, size int64 }

// The bytes that files of the formats begin with: a zip archive; a pickle of protocol 2, as
// torch.save wrote them before version 1.6.
const (
	zipMagic    = "PK\x03\x04"
	pickleMagic = "\x80\x02"
)

const (
	maxByteOrder = 16
	maxPickle    = 32 << 20 // bytes; a model of 500 tensors has 50 KB
)

// readArchive reads the directory of a zip archive of size bytes. It refuses what torch.save does
// not write: entries that are compressed, encrypted, listed twice or overlapping, and names that
// lead out of the folder.
func readArchive(r io.ReaderAt, size int64) (*archive, error) {
	start := make([]byte, min(size, int64(len(zipMagic))))
	if err := inputfile.Fill(r, start, 0); err != nil {
		return nil, err
	}
	switch {
	case string(start) == zipMagic:
	case strings.HasPrefix(string(start), pickleMagic):
		return nil, &advised{errors.New("a bare pickle, as PyTorch wrote before version 1.6"), saveAgain}
	default:
		return nil, errors.New("is not a zip archive, as torch.save writes")
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("the zip archive cannot be read: %w", err)
	}
	a := &archive{members: make(map[string]member, len(z.File)), file: r}
	root := ""
	for _, f := range z.File {
		if err := a.add(f, &root); err != nil {
			return nil, fmt.Errorf("entry %s: %w", quote.OneLine(quote.Short(f.Name)), err)
		}
	}
	if err := a.check(); err != nil {
		return nil, err
	}
	return a, nil
}

// add checks one entry, which must be in the same folder as those before it.
func (a *archive) add(f *zip.File, root *string) error {
	folder, name, nested := strings.Cut(f.Name, "/")
	if *root == "" {
		*root = folder
	}
	if !nested || folder != *root || folder == "" || folder == ".." || name == "" ||
		strings.ContainsAny(f.Name, "\\\x00") ||
		slices.Contains(strings.Split(name, "/"), "..") {
		return &advised{errors.New("the name is not that of a file in the archive's one folder"), distrust}
	}
	const encrypted = 1
	switch {
	case f.Flags&encrypted != 0:
		return &advised{errors.New("is encrypted"), saveAgain}
	case f.Method != zip.Store:
		return &advised{errors.New("is compressed, which torch.save never does"), saveAgain}
	case f.CompressedSize64 != f.UncompressedSize64:
		return fmt.Errorf("has %d bytes stored as %d", f.UncompressedSize64, f.CompressedSize64)
	}
	if _, twice := a.members[name]; twice {
		return &advised{errors.New("the name occurs twice"), distrust}
	}
	begin, err := f.DataOffset()
	if err != nil {
		return err
	}
	a.members[name] = member{begin, int64(f.UncompressedSize64)}
	return nil
}

// check refuses entries that overlap, and archives that are not a file of little-endian weights.
func (a *archive) check() error {
	sorted := make([]member, 0, len(a.members))
	for _, m := range a.members {
		sorted = append(sorted, m)
	}
	slices.SortFunc(sorted, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.size, b.size))
	})
	end := int64(0)
	for _, m := range sorted {
		if m.begin < end || m.size < 0 {
			return &advised{errors.New("entries of the zip archive overlap"), distrust}
		}
		end = m.begin + m.size
	}
	if _, script := a.members["constants.pkl"]; script {
		return &advised{errors.New("is a TorchScript program, not a file of weights"),
			"export the model's state_dict() instead"}
	}
	if m, ok := a.members["byteorder"]; ok {
		order, err := a.text(m, maxByteOrder)
		if err != nil {
			return err
		}
		if order != "little" {
			return &advised{fmt.Errorf("byteorder is %s, want little", quote.OneLine(order)),
				"save it on a little-endian machine"}
		}
	}
	if _, ok := a.members["data.pkl"]; !ok {
		return errors.New("the zip archive has no data.pkl, so it is not by torch.save")
	}
	return nil
}

// text reads an entry of at most limit bytes.
func (a *archive) text(m member, limit int64) (string, error) {
	if m.size > limit {
		return "", fmt.Errorf("an entry has %d bytes, at most %d are allowed", m.size, limit)
	}
	text := make([]byte, m.size)
	err := inputfile.Fill(a.file, text, m.begin)
	return string(text), err
}
