// Package sniff names the kind of a file by its content, so that an error about a file of the wrong
// kind says what it is and how to go on.
package sniff

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"unicode"
	"unicode/utf8"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Kind is a kind of file: what it is, with its article, as messages name it.
type Kind string

// The kinds that a reader of this module may want.
const (
	NPY         Kind = "a .npy file"
	Objects     Kind = "a .npy file of Python objects (dtype object)"
	NPZ         Kind = "an npz archive of NumPy"
	Torch       Kind = "a PyTorch file"
	Pickle      Kind = "a Python pickle (joblib writes such files too)"
	Safetensors Kind = "a safetensors file"
	NIfTI       Kind = "a NIfTI image"
	GIFTI       Kind = "a GIFTI file"
	XML         Kind = "an XML file"
	JSON        Kind = "JSON text"
	Annex       Kind = "a git-annex pointer without content"
	LFS         Kind = "a Git LFS pointer without content"
	HTML        Kind = "an HTML page"
	HDF5        Kind = "an HDF5 file"
	MAT4        Kind = "a MATLAB file (version 4)"
	MAT5        Kind = "a MATLAB file (version 5)"
	MAT73       Kind = "a MATLAB file (version 7.3, which is HDF5)"
	ZIP         Kind = "a zip archive"
	Gzip        Kind = "a gzip file"
	GzipNIfTI   Kind = "a NIfTI image compressed by gzip"
	WAV         Kind = "a WAV file"
	FLAC        Kind = "a FLAC file"
	MP3         Kind = "an MP3 file"
	UTF16       Kind = "UTF-16 text"
)

// magics are the bytes of kinds at an offset. The first that matches holds.
var magics = []struct {
	at    int
	magic string
	kind  Kind
}{
	{0, "\x89HDF\r\n\x1a\n", HDF5},
	{512, "\x89HDF\r\n\x1a\n", MAT73},
	{0, "MATLAB 5.0 MAT-file", MAT5},
	{344, "n+1\x00", NIfTI},
	{344, "ni1\x00", NIfTI},
	{4, "n+2\x00\r\n\x1a\n", NIfTI},
	{4, "ni2\x00\r\n\x1a\n", NIfTI},
	{0, "fLaC", FLAC},
	{0, "ID3", MP3},
	{0, "\xff\xfb", MP3},
	{0, "\xff\xfa", MP3},
	{0, "\xff\xf3", MP3},
	{0, "\xff\xf2", MP3},
	{0, "RIFX", "big-endian WAV (RIFX)"},
	{0, "riff\x2e\x91\xcf\x11", "Sony Wave64"},
	{8, "WAVE", WAV}, // RIFF, RF64 or BW64
	{0, "RIFF", "a RIFF file, but not WAV"},
	{0, "OggS", "Ogg (Vorbis or Opus)"},
	{0, "FORM", "AIFF"},
	{0, ".snd", "Sun audio"},
	{0, "caff", "Core Audio"},
	{4, "ftyp", "MPEG-4 (AAC or ALAC)"},
	{0, "NIST_1A", "NIST SPHERE"},
	{0, "\x1a\x45\xdf\xa3", "Matroska or WebM"},
	{0, "\x7fELF", "a program or library (ELF)"},
	{0, "%PDF-", "a PDF file"},
	{0, "\x89PNG\r\n\x1a\n", "a PNG picture"},
	{0, "\xff\xd8\xff", "a JPEG picture"},
	{0, "BZh", "a bzip2 file"},
	{0, "\xfd7zXZ\x00", "an xz file"},
	{0, "]\x00\x00", "an LZMA file"},
	{0, "\x28\xb5\x2f\xfd", "a Zstandard file"},
	{0, "\x04\x22\x4d\x18", "an LZ4 file"},
	{0, "7z\xbc\xaf\x27\x1c", "a 7z archive"},
	{257, "ustar", "a tar archive"},
	{0, "PAR1", "a Parquet file"},
	{0, "ARROW1", "an Arrow file"},
	{0, "SQLite format 3\x00", "an SQLite database"},
	{0, "\xd0\xcf\x11\xe0", "an old Microsoft Office document"},
	{0, "\xff\xfe", UTF16},
	{0, "\xfe\xff", UTF16},
}

// headBytes is how much of a file is looked at: enough for the magics above, the header of a .npy file
// and the start of a text.
const headBytes = 1024

// Of names the kind of a file of size bytes. It is "" for plain text and for what is unknown, and if
// reading fails.
func Of(r io.ReaderAt, size int64) Kind {
	head := make([]byte, min(size, headBytes))
	if n, err := r.ReadAt(head, 0); n < len(head) && err != nil {
		return ""
	}
	return of(head, size, r)
}

// IsText reports whether a file begins with what can be read: letters, digits, signs and blanks.
func IsText(r io.ReaderAt, size int64) bool {
	head := make([]byte, min(size, headBytes))
	if n, err := r.ReadAt(head, 0); n < len(head) && err != nil || len(head) == 0 {
		return false
	}
	for at := 0; at < len(head); {
		c, n := utf8.DecodeRune(head[at:])
		if c == utf8.RuneError && len(head)-at >= utf8.UTFMax || unicode.IsControl(c) && !unicode.IsSpace(c) {
			return false
		}
		at += n
	}
	return true
}

// Bytes is [Of] for content in memory.
func Bytes(data []byte) Kind {
	return Of(bytes.NewReader(data), int64(len(data)))
}

// File is [Of] for the file at path.
func File(path string) Kind {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would wait for its writer
	if err != nil {
		return ""
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return Of(file, info.Size())
}

func of(head []byte, size int64, r io.ReaderAt) Kind {
	starts := func(magic string) bool { return bytes.HasPrefix(head, []byte(magic)) }
	switch {
	case starts("\x93NUMPY"):
		if bytes.Contains(head[:min(len(head), 256)], []byte("|O")) {
			return Objects
		}
		return NPY
	case starts("PK\x03\x04"), starts("PK\x05\x06"):
		return zipped(head, size, r)
	case starts("\x1f\x8b"):
		return gzipped(head)
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return Pickle
	case len(head) > 9 && head[8] == '{' && bytes.Equal(head[3:8], make([]byte, 5)):
		return Safetensors
	}
	for _, m := range magics {
		if len(head) > m.at && bytes.HasPrefix(head[m.at:], []byte(m.magic)) {
			return m.kind
		}
	}
	if isMAT4(head) {
		return MAT4
	}
	return text(head, size)
}

// isMAT4 reports whether a file begins with a variable of MATLAB's version 4, which has no magic: five numbers
// (the digits MOPT of its type, rows, columns, whether it is complex, the length of the name) and a name.
func isMAT4(head []byte) bool {
	if len(head) < 22 {
		return false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 0 && order.Uint32(head) != 0 {
		order = binary.BigEndian
	}
	mopt, complex, length := order.Uint32(head), order.Uint32(head[12:]), order.Uint32(head[16:])
	if mopt > 4052 || mopt/100%10 != 0 || mopt/10%10 > 5 || mopt%10 > 2 || complex > 1 || length < 2 || length > 64 {
		return false
	}
	name, _, ended := bytes.Cut(head[20:min(len(head), 20+int(length))], []byte{0})
	letter := func(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
	return ended && len(name) > 0 && bytes.IndexFunc(name, func(r rune) bool { return !letter(r) }) < 0
}

// zipped names what a zip archive holds, by the name of its first member and the list at its end.
func zipped(head []byte, size int64, r io.ReaderAt) Kind {
	end := make([]byte, min(size, 1<<16))
	if _, err := r.ReadAt(end, size-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
		end = nil
	}
	has := func(name string) bool {
		return bytes.Contains(head, []byte(name)) || bytes.Contains(end, []byte(name))
	}
	switch {
	case has("/data.pkl"):
		return Torch
	case has(".npy"):
		return NPZ
	case has("xl/workbook"):
		return "an Excel workbook"
	}
	return ZIP
}

// gzipped names what is compressed.
func gzipped(head []byte) Kind {
	in, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return Gzip
	}
	inner := make([]byte, 352)
	n, _ := io.ReadFull(in, inner) // the end of head is missing
	if n > 348 && of(inner[:n], 0, nil) == NIfTI {
		return GzipNIfTI
	}
	return Gzip
}

// The texts of pointers: git-annex writes the place of the object, in a file by itself or as the target
// of a link, which is a text where links cannot be made; Git LFS a version line (git-lfs,
// docs/spec.md). Neither is longer than MaxPointer.
const (
	annexObjects = "annex/objects/"
	lfsVersion   = "version https://git-lfs.github.com/spec/"
	MaxPointer   = 32 << 10
)

// text names a text by its start.
func text(head []byte, size int64) Kind {
	if bytes.IndexByte(head, 0) >= 0 {
		return ""
	}
	line, _, _ := strings.Cut(string(head), "\n")
	pointer := size <= MaxPointer
	switch {
	case pointer && IsAnnexLink(line):
		return Annex
	case pointer && strings.HasPrefix(line, lfsVersion):
		return LFS
	}
	start := strings.ToLower(strings.TrimLeft(strings.TrimPrefix(string(head), "\ufeff"), " \t\r\n"))
	switch {
	case strings.HasPrefix(start, "<!doctype html"), strings.HasPrefix(start, "<html"):
		return HTML
	case strings.HasPrefix(start, "<?xml"), strings.HasPrefix(start, "<gifti"):
		switch {
		case strings.Contains(start, "<gifti"):
			return GIFTI
		case strings.Contains(start, "<html"):
			return HTML
		}
		return XML
	case strings.HasPrefix(start, `{"`), strings.HasPrefix(start, "{\n"):
		return JSON
	}
	return ""
}

// IsAnnexLink reports whether target, of a link or in a text, is the place of a git-annex object.
func IsAnnexLink(target string) bool {
	before, _, ok := strings.Cut(strings.TrimSpace(target), annexObjects)
	if !ok {
		return false
	}
	// /annex/objects/KEY, or a relative path: ../.git/annex/objects/xx/yy/KEY/KEY
	return before == "/" || before == ".git/" || strings.HasSuffix(before, "/.git/") ||
		strings.HasSuffix(before, "/") && !strings.ContainsAny(before, " ,;\t")
}

// advice is what to do with a file of a kind that is not wanted.
var advice = map[Kind]string{
	NPY:       "give it the suffix .npy",
	Objects:   "save it as numbers: numpy.save(name, numpy.stack(list(array)).astype('float32'))",
	NPZ:       "save the array in it by itself: numpy.save('x.npy', numpy.load(file)[name])",
	Pickle:    "load it where it was made and save the array with numpy.save",
	Torch:     "save its tensor with numpy.save, or the weights with safetensors",
	HDF5:      "save the array in it as .npy, with h5py and numpy.save",
	MAT73:     "save the array in it as .npy, with h5py and numpy.save (MATLAB's axes are reversed there)",
	MAT4:      "save the array in it as .npy, with scipy.io.loadmat and numpy.save",
	MAT5:      "save the array in it as .npy, with scipy.io.loadmat and numpy.save",
	GzipNIfTI: "save the voxels of its mask, rows by voxels, with numpy.save",
	NIfTI:     "save the voxels of its mask, rows by voxels, with numpy.save",
	GIFTI:     "save its arrays, rows by vertices, with nibabel and numpy.save",
	Gzip:      "unpack it with gunzip",
	ZIP:       "unpack it and name the file in it",
	HTML:      "a server sent a page instead of the file, often a login or an error: download it again",
	JSON:      "if a server sent it instead of the file, it says why: read it, and download the file again",
	LFS:       "run `git lfs pull`",
}

// Other returns the error of a file that is of a known kind and none of those that the reader wants;
// nil if the kind is "" or wanted. The file is called path; wanted says what the reader wants. It is of
// kind [fault.Missing] for a pointer, else [fault.BadData].
func Other(op, path string, kind Kind, wanted string, kinds ...Kind) error {
	if kind == "" || slices.Contains(kinds, kind) {
		return nil
	}
	where := quote.OneLine(path)
	e := fault.New(fault.BadData, op, where, "is %s, want %s", kind, wanted)
	switch kind {
	case Annex, LFS:
		e = fault.New(fault.Missing, op, where, "is %s", kind)
		if kind == Annex {
			return e.WithHint("run `datalad get %s`", where)
		}
	}
	hint := advice[kind]
	if hint == "" {
		hint = "name a file of the right kind, or convert it"
	}
	return e.WithHint("%s", hint)
}
