package sniff

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func archive(t *testing.T, names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.Create(name)
		require.NoError(t, err)
		_, err = f.Write(bytes.Repeat([]byte("content "), 500))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

func zipOf(t *testing.T, data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// at puts magic at an offset of zeros.
func at(offset int, magic string) []byte {
	b := make([]byte, 1000)
	copy(b[offset:], magic)
	return b
}

func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name string
		data []byte
		want Kind
	}{
		{"nothing", nil, ""},
		{"numbers", []byte("1 2 3\n4 5 6\n"), ""},
		{"prose that names annex/objects/", []byte("see annex/objects/ in the manual"), ""},
		{"unknown bytes", []byte{1, 2, 0, 3}, ""},
		{"npy", []byte("\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }"), NPY},
		{"objects", []byte("\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"), Objects},
		{"MATLAB 4", []byte("\x00\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00a\x00"),
			MAT4},
		{"MATLAB 4, big-endian",
			[]byte("\x00\x00\x03\xe8\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02a\x00"),
			MAT4},
		{"zeros", make([]byte, 100), ""},
		{"zeros and a length", []byte(strings.Repeat("\x00", 16) + "\x02\x00\x00\x00ab"), ""},
		{"LZMA", []byte("]\x00\x00\x40\x00\xff\xff"), "an LZMA file"},
		{"npz", archive(t, "arr_0.npy"), NPZ},
		{"npz, the array last", archive(t, strings.Repeat("x", 900), "a.npy"), NPZ},
		{"torch", archive(t, "model/data.pkl"), Torch},
		{"zip", archive(t, "readme.txt"), ZIP},
		{"workbook", archive(t, "[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook"},
		{"gzip", zipOf(t, []byte("text")), Gzip},
		{"NIfTI in gzip", zipOf(t, at(344, "n+1\x00")), GzipNIfTI},
		{"NIfTI-1", at(344, "n+1\x00"), NIfTI},
		{"NIfTI-1, two files", at(344, "ni1\x00"), NIfTI},
		{"NIfTI-2", at(4, "n+2\x00\r\n\x1a\n"), NIfTI},
		{"pickle 4", []byte("\x80\x04\x95\x10"), Pickle},
		{"safetensors", []byte("\x40\x00\x00\x00\x00\x00\x00\x00{\"a\":{}}"), Safetensors},
		{"HDF5", at(0, "\x89HDF\r\n\x1a\n"), HDF5},
		{"MATLAB 5", []byte("MATLAB 5.0 MAT-file, Platform: GLNXA64"), MAT5},
		{"MATLAB 7.3", append([]byte("MATLAB 7.3 MAT-file"), at(493, "\x89HDF\r\n\x1a\n")...), MAT73},
		{"WAV", []byte("RIFF\x00\x00\x00\x00WAVEfmt "), WAV},
		{"AVI", []byte("RIFF\x00\x00\x00\x00AVI LIST"), "a RIFF file, but not WAV"},
		{"FLAC", []byte("fLaC\x00"), FLAC},
		{"MP3", []byte("\xff\xfb\x90\x64"), MP3},
		{"MP3 behind ID3", []byte("ID3\x04"), MP3},
		{"ELF", []byte("\x7fELF\x02"), "a program or library (ELF)"},
		{"GIFTI", []byte("<?xml version=\"1.0\"?>\n<!DOCTYPE GIFTI SYSTEM \"x\">\n<GIFTI Version=\"1.0\">"), GIFTI},
		{"XML", []byte("<?xml version=\"1.0\"?>\n<a/>"), XML},
		{"HTML", []byte("\n  <!DOCTYPE html>\n<html>"), HTML},
		{"HTML as XML", []byte("<?xml version=\"1.0\"?>\n<html>"), HTML},
		{"JSON", []byte(`{"error": "Repository not found"}`), JSON},
		{"annex", []byte("/annex/objects/SHA256E-s120--abc.wav\n"), Annex},
		{"annex link as text", []byte("../../.git/annex/objects/K1/x8/MD5E-s1--a.wav/MD5E-s1--a.wav"), Annex},
		{"LFS", []byte("version https://git-lfs.github.com/spec/v1\noid sha256:1\n"), LFS},
		{"a long file like a pointer", append([]byte("/annex/objects/x\n"), make([]byte, MaxPointer)...), ""},
		{"UTF-16", []byte("\xff\xfe1\x00"), "UTF-16 text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, Bytes(c.data))
			path := filepath.Join(t.TempDir(), "a")
			require.NoError(t, os.WriteFile(path, c.data, 0o600))
			assert.Equal(t, c.want, File(path))
		})
	}
	assert.Empty(t, File(t.TempDir()))
	assert.Empty(t, File("missing"))
}

func TestOtherSaysWhatAFileIsAndWhatToDo(t *testing.T) {
	require.NoError(t, Other("read x", "a", "", "a matrix"))
	require.NoError(t, Other("read x", "a", NPY, "a matrix", NPY, NPZ))
	err := Other("read x", "my\nfile", NPZ, "a matrix", NPY)
	faulttest.Require(t, fault.BadData, err, "is an npz archive of NumPy, want a matrix", "numpy.load(file)[name]")
	err = Other("read x", "a", Annex, "a matrix")
	faulttest.Require(t, fault.Missing, err, "run `datalad get a`")
	faulttest.Require(t, fault.Missing, Other("read x", "a", LFS, "a matrix"), "git lfs pull")
	faulttest.Require(t, fault.BadData, Other("read x", "a", FLAC, "a matrix"), "name a file of the right kind")
}

func FuzzOf(f *testing.F) {
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("PK\x03\x04 a.npy"))
	f.Add([]byte("../.git/annex/objects/a"))
	f.Fuzz(func(t *testing.T, data []byte) { Bytes(data) })
}

func TestAPipeIsOfNoKind(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	require.Empty(t, File(pipe)) // and nobody waits for its writer
}
