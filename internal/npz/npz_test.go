package npz

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/npyheader"
	"github.com/brainwavlm/bwlm/internal/stored"
)

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// values reads an array row by row, whatever its order in the file.
func values(t testing.TB, f *File, name string) []float64 {
	t.Helper()
	r, err := f.Reader(name)
	require.NoError(t, err)
	out := make([]float64, r.Repeats*r.Rows*r.Columns)
	for repeat := range r.Repeats {
		require.NoError(t, stored.ReadRows(r, repeat, 0, r.Rows, out[repeat*r.Rows*r.Columns:]))
	}
	return out
}

// The verdict on each genuine archive, and values equal to what was put in.
func TestVerdicts(t *testing.T) {
	verdicts := labtest.Verdicts(t, "numpy/*.npz")
	require.Len(t, verdicts, 3)
	_, x := labtest.Truth(t, "X")
	for file, verdict := range verdicts {
		require.Equal(t, "read", verdict)
		f := open(t, filepath.Join(labtest.Dir(t), file))
		for _, a := range f.Arrays() {
			got := values(t, f, a.Name)
			switch a.Name {
			case "features":
				for i := range x {
					require.Equal(t, float64(float32(x[i])), got[i])
				}
			case "times":
				for k := range 12 {
					require.Equal(t, []float64{float64(k), float64(k + 1)}, got[2*k:2*k+2])
				}
			default:
				require.Equal(t, x[:len(got)], got, file+":"+a.Name)
				require.Contains(t, []int{12 * 7, 8 * 7}, len(got))
				require.Positive(t, a.Offset)
			}
		}
	}
}

func TestEveryKindOfMemberIsReadOrNamed(t *testing.T) {
	for _, name := range []string{"stored", "deflated"} {
		path := filepath.Join("testdata", name+".npz")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		f := open(t, path)
		var list []string
		for _, a := range f.Arrays() {
			list = append(list, a.Name)
			require.Equal(t, name == "stored", a.Offset > 0)
			got := values(t, f, a.Name)
			for i, x := range got {
				want := float64(i) / 4
				switch a.Name {
				case "repeats":
					want = float64(i%15)/4 + 4*float64(i/15)
				case "whole":
					want *= 4
				case "mask":
					want = map[bool]float64{true: 1}[want > 1]
				case "vector":
					want *= 3
				}
				require.Equal(t, want, x, "%s %d", a.Name, i)
			}
			if a.Name == "a" && name == "stored" {
				x := math.Float64frombits(binary.LittleEndian.Uint64(data[a.Offset+8*5:]))
				require.Equal(t, 1.25, x, "mapped")
			}
		}
		require.Equal(t, []string{"a", "fortran", "repeats", "swapped", "half", "whole", "mask", "vector"}, list)
		var others []string
		for _, o := range f.Others() {
			others = append(others, o.Name+" is "+o.What)
		}
		require.Equal(t, []string{"objects is an array of Python objects", "text is text",
			"complex is an array of complex " +
				"numbers", "records is an array of records", "dates is an array of dates"}, others)
		_, err = f.Reader("text")
		faulttest.Require(t, fault.BadData, err,
			name+".npz:text: is text, want an array of numbers; name one of them: a (5, 3)")
		_, err = f.Reader("")
		faulttest.Require(t, fault.BadData, err, "holds more than one array that can be meant")
	}
	for _, name := range []string{"one", "one_deflated"} {
		f := open(t, filepath.Join("testdata", name+".npz"))
		require.Equal(t, 3.5, values(t, f, "")[14], "the only array")
	}
}

// entry is one member of an archive, with what its header says.
type entry struct {
	name, text string
	edit       func(*zip.FileHeader)
}

// archive stores members.
func archive(t testing.TB, members ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		n := uint64(len(m.text))
		h := &zip.FileHeader{Name: m.name, CompressedSize64: n, UncompressedSize64: n}
		if m.edit != nil {
			m.edit(h)
		}
		to, err := w.CreateRaw(h)
		require.NoError(t, err)
		_, err = to.Write([]byte(m.text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

func npyOf(shape []int, values ...float64) string {
	data, _ := binary.Append(npyheader.Make(elements.Float64, shape), binary.LittleEndian, values)
	return string(data)
}

func read(data []byte) error {
	f, err := decode(bytes.NewReader(data), int64(len(data)), "x.npz")
	if err != nil {
		return err
	}
	for _, a := range f.Arrays() {
		r, err := f.Reader(a.Name)
		if err != nil || r.Rows > 1<<16 || r.Columns > 1<<16/max(1, r.Rows) {
			continue
		}
		out := make([]float64, r.Rows*r.Columns)
		for repeat := range min(r.Repeats, 4) {
			if err := stored.ReadRows(r, repeat, 0, r.Rows, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestHostileArchivesAreRefused(t *testing.T) {
	sound := npyOf([]int{2}, 1, 2)
	require.NoError(t, read(archive(t, entry{"a.npy", sound, nil})))
	overlap := archive(t, entry{"a.npy", sound, nil}, entry{"b.npy", sound, nil})
	first := bytes.Index(overlap, []byte("PK\x01\x02"))
	second := first + 1 + bytes.Index(overlap[first+1:], []byte("PK\x01\x02"))
	copy(overlap[second+42:second+46], overlap[first+42:first+46])
	whole := archive(t, entry{"a.npy", sound, nil})
	for name, c := range map[string]struct {
		data []byte
		why  string
	}{
		"empty":      {nil, "is not a zip archive"},
		"text":       {[]byte("hello, this is no archive"), "is not a zip archive, as numpy.savez writes"},
		"npy":        {[]byte(sound), "is a .npy file, want an npz archive of NumPy; give it the suffix"},
		"no members": {archive(t), "holds no array"},
		"cut":        {whole[:len(whole)-1], "the zip archive cannot be read"},
		"twice": {archive(t, entry{"a.npy", sound, nil}, entry{"a.npy", sound, nil}),
			"member a.npy: the name occurs twice"},
		"overlap":   {overlap, "members of the zip archive overlap"},
		"encrypted": {archive(t, entry{"a.npy", sound, func(h *zip.FileHeader) { h.Flags |= 1 }}), "is encrypted"},
		"bzip2": {archive(t, entry{"a.npy", sound, func(h *zip.FileHeader) { h.Method = 12 }}),
			"compressed by method 12"},
		"sizes differ": {archive(t, entry{"a.npy", sound, func(h *zip.FileHeader) { h.UncompressedSize64++ }}),
			"bytes stored as"},
		"not npy": {archive(t, entry{"a.npy", "hello, what is this here", nil}),
			"member a.npy: is not a .npy file"},
		"short": {archive(t, entry{"a.npy", sound[:len(sound)-1], nil}), "needs 16 bytes, the file has 15"},
		"unknown dtype": {archive(t, entry{"a.npy", strings.Replace(sound, "<f8", "<f3", 1),
			nil}), `holds floats of another size (dtype <f3)`},
		"a bomb": {archive(t, entry{"a.npy", sound, func(h *zip.FileHeader) {
			h.Method, h.UncompressedSize64 = zip.Deflate, 1<<40
		}}), "claims 1099511627776 bytes"},
		"deflated badly": {archive(t, entry{"a.npy", sound, func(h *zip.FileHeader) { h.Method = zip.Deflate }}),
			"member a.npy: "},
	} {
		t.Run(name, func(t *testing.T) {
			faulttest.Require(t, fault.BadData, read(c.data), "read npz: x.npz", c.why)
		})
	}
	require.NoError(t, read(archive(t, entry{"a/", "", nil}, entry{"a/b.npy", sound, nil}, entry{"notes.txt", "x",
		nil})))
}

// Any cut is an error, and so is or is harmless any flipped bit in a deflated member; a stored one has a CRC that is
// not looked at, so that it can be read in any order.
func TestCutAndFlippedArchives(t *testing.T) {
	for _, name := range []string{"one", "one_deflated"} {
		data, err := os.ReadFile(filepath.Join("testdata", name+".npz"))
		require.NoError(t, err)
		want := values(t, open(t, filepath.Join("testdata", name+".npz")), "")
		for n := range data {
			require.Error(t, read(data[:n]), n)
		}
		wrong := 0
		for bit := range 8 * len(data) {
			flipped := slices.Clone(data)
			flipped[bit/8] ^= 1 << (bit % 8)
			f, err := decode(bytes.NewReader(flipped), int64(len(flipped)), "x.npz")
			if err != nil {
				continue
			}
			r, err := f.Reader("")
			if err != nil {
				continue
			}
			got := make([]float64, r.Repeats*r.Rows*r.Columns)
			if err := stored.Elements(r, 0, got); err == nil && !slices.Equal(want, got) {
				wrong++
			}
		}
		t.Logf("%s: %d of %d flipped bits change values without an error", name, wrong, 8*len(data))
		require.Equal(t, name == "one", wrong > 0)
	}
}

// Any bytes are refused or read, in little memory and time.
func FuzzOpen(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join("testdata", "*.npz"))
	f.Add(archive(f, entry{"a/", "", nil}, entry{"a/b.npy", npyOf([]int{2, 1}, 1, 2), nil}))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.RunWith(t, 64, input, 3*8<<16, func() { // what is read is declared in the file
			if err := read(input); err != nil {
				require.NotEqual(t, fault.Internal, fault.KindOf(err), "%v", err)
			}
		})
	})
}

// Many members of an archive cost little.
func TestMemoryOfManyMembers(t *testing.T) {
	var members []entry
	for i := range 3000 {
		members = append(members, entry{fmt.Sprint(i, ".npy"), npyOf([]int{0}), nil})
	}
	input := archive(t, members...)
	fuzztest.Run(t, 64, input, func() {
		f, err := decode(bytes.NewReader(input), int64(len(input)), "x.npz")
		require.NoError(t, err)
		require.Len(t, f.Arrays(), 3000)
	})
}
