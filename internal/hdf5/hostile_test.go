package hdf5

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// small returns the files in testdata/small by their names.
func small(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/small/*.h5")
	require.NoError(t, err)
	out := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		out[filepath.Base(path)] = data
	}
	return out
}

func TestFilesCutAnywhereAreRefused(t *testing.T) {
	for name, data := range small(t) {
		for n := 0; n < len(data); n += 1 + n/16 {
			_, err := inMemory(data[:n])
			require.Error(t, err, "%s, %d bytes", name, n)
			requireFault(t, err)
		}
	}
}

// outcome is what a damage does.
type outcome struct{ refused, harmless, otherShape, wrong int }

// flips flips bits of a file, one at a time, and reads the array data, which must be want.
func flips(t *testing.T, data []byte, want []float64, step int) (out outcome) {
	for bit := 0; bit < 8*len(data); bit += step {
		changed := bytes.Clone(data)
		changed[bit/8] ^= 1 << (bit % 8)
		got, err := first(changed)
		switch {
		case err != nil:
			requireFault(t, err)
			out.refused++
		case same(want, got):
			out.harmless++
		case len(got) != len(want):
			out.otherShape++
		default:
			out.wrong++
		}
	}
	return out
}

// first reads the array data of a file.
func first(data []byte) ([]float64, error) {
	f, err := inMemory(data)
	if err != nil {
		return nil, err
	}
	d, err := f.Dataset("data")
	if err == nil {
		err = d.Err()
	}
	if err != nil || d.elements() > accepted {
		return nil, err
	}
	out := make([]float64, d.Rows()*d.Columns())
	return out, d.ReadRows64(0, d.Rows(), out)
}

func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i, x := range a {
		if x != b[i] {
			return false
		}
	}
	return true
}

// A flipped bit is refused or does no harm, but for a few in files of the old format, whose structures have no
// checksums, and for all in contiguous data.
func TestAFlippedBit(t *testing.T) {
	files := small(t)
	for name, mostWrong := range map[string]float64{ // share of the flips
		"edges_latest_sum.h5": 0, "rows_latest_gzip.h5": 0, "edges_earliest_sum.h5": .003,
		"contiguous_earliest_none.h5": .2,
	} {
		_, want := numpyArray(t, "testdata/small/"+name[:len(name)-len(".h5")]+".npy")
		step := 31
		if slowtest.Thorough {
			step = 5
		}
		got := flips(t, files[name], want, step)
		t.Logf("%s: %+v", name, got)
		assert.LessOrEqual(t, got.wrong, int(mostWrong*float64(8*len(files[name])/step)), name)
		assert.Positive(t, got.refused, name)
	}
}

// change is a damage: bytes that replace those at an offset after the first occurrence of a signature.
type change struct {
	after string
	at    int
	bytes []byte
}

// number8 is a number of 8 bytes.
func number8(n uint64) []byte { return binary.LittleEndian.AppendUint64(nil, n) }

// damaged returns a changed file.
func damaged(t *testing.T, data []byte, changes ...change) []byte {
	out := bytes.Clone(data)
	for _, c := range changes {
		at := bytes.Index(data, []byte(c.after))
		require.GreaterOrEqual(t, at, 0, c.after)
		copy(out[at+c.at:], c.bytes)
	}
	return out
}

// listed opens a file without its checksums, lists it and reads its arrays; it returns the first error.
func listed(data []byte) error {
	f, err := open(&source{r: bytes.NewReader(data), name: "x.h5", size: int64(len(data)), anySum: true})
	if err != nil {
		return err
	}
	datasets, _, err := f.List()
	for _, d := range datasets {
		if err == nil {
			err = d.Err()
		}
		if n := d.elements(); err == nil && n <= accepted {
			err = d.ReadRows(0, d.Rows(), make([]float32, n))
		}
	}
	return err
}

func TestHostileStructures(t *testing.T) {
	files := small(t)
	const space = "\x0c\x00\x00\x00\x00\x00\x00\x00\x07\x00\x00\x00\x00\x00\x00\x00" // 12, 7
	const chunk37 = "\x03\x00\x00\x00\x07\x00\x00\x00\x04\x00\x00\x00"
	treeOfNames := uint64(bytes.Index(files["group12_earliest.h5"], []byte("TREE")))
	for _, c := range []struct {
		name, file string
		changes    []change
		want       string
	}{
		{"a symbol table that is its own child", "group12_earliest.h5",
			[]change{{"TREE", 5, []byte{1}}, {"TREE", 32, number8(treeOfNames)}},
			"a node of a B-tree has level 1, want 0"},
		{"a heap of names larger than the file", "group12_earliest.h5", []change{{"HEAP", 8, number8(1 << 40)}},
			"a local heap, 1099511627776 bytes at byte"},
		{"names outside of their heap", "group12_earliest.h5", []change{{"SNOD", 8, number8(1 << 40)}},
			"a name begins at byte 1099511627776 of a heap"},
		{"an address that overflows", "group12_earliest.h5", []change{{"SNOD", 16, number8(1<<64 - 9)}},
			"ends beyond the end of the file"},
		{"an axis that overflows", "contiguous_earliest_none.h5",
			[]change{{space, 0, number8(1 << 62)}, {space, 16, number8(1 << 62)}}, "overflows"},
		{"an axis of the largest number", "contiguous_earliest_none.h5", []change{{space, 0, number8(1<<64 - 1)}},
			"has an axis of 18446744073709551615"},
		{"more rows than the file has", "contiguous_earliest_none.h5",
			[]change{{space, 0, number8(1 << 30)}, {space, 16, number8(1 << 30)}},
			"the array, 30064771072 bytes at byte 2048"},
		{"a tree of chunks that is its own child", "edges_earliest_sum.h5",
			[]change{{"TREE\x01", 5, []byte{1}}, {"TREE\x01", 24 + 32, number8(uint64(bytes.Index(
				files["edges_earliest_sum.h5"], []byte("TREE\x01"))))}}, "a node of a B-tree has level 1, want 0"},
		{"two chunks at one place", "edges_earliest_sum.h5", []change{{"TREE\x01", 24 + 40 + 16, number8(0)}},
			"two chunks are at one place"},
		{"a chunk beside the grid", "edges_earliest_sum.h5", []change{{"TREE\x01", 24 + 40 + 16, number8(1)}},
			"a chunk begins at 1 of axis 1, not at a multiple of 3"},
		{"a chunk that the file does not explain", "rows_earliest_lzf.h5", []change{{chunk37, 4, []byte{0, 0, 4, 0}}},
			"more than an array of shape [40 7] and a file of"},
		{"chunks that take long to decode", "rows_earliest_lzf.h5", []change{{chunk37, 4, []byte{0, 0, 0, 2}}},
			"are far larger than an array of shape [40 7]"},
		{"a chunk larger than is possible", "rows_earliest_lzf.h5", []change{{chunk37, 4, []byte{0, 0, 0, 255}}},
			"a chunk is 4278190080 long, at most 1073741824 is possible"},
		{"a B-tree of names that is deeper than it can be", "group12_latest.h5",
			[]change{{"BTHD", 12, []byte{255, 255}}}, "and depth 65535"},
		{"a fractal heap with rows that are no power of 2", "group12_latest.h5", []change{{"FRHP", 110, []byte{3, 0}}},
			"has rows of 3 blocks"},
		{"a table of a fractal heap with too many rows", "group12_latest.h5", []change{{"FRHP", 140, []byte{255, 255}}},
			"has a table of 65535 rows"},
		{"a fixed array for more chunks than the array has", "bounded_latest_none.h5",
			[]change{{"FAHD", 8, number8(1 << 50)}}, "is for 1125899906842624 chunks"},
		{"a fixed array with large pages", "bounded_latest_none.h5", []change{{"FAHD", 7, []byte{60}}},
			"pages of 2^60"},
		{"entries that do not suit the filters", "bounded_latest_none.h5", []change{{"FAHD", 6, []byte{20}}},
			"with entries of 20 bytes"},
		{"an extensible array with blocks of 3", "rows_latest_gzip.h5", []change{{"EAHD", 9, []byte{3}}},
			"has blocks of 3 entries"},
		{"a large index block", "rows_latest_gzip.h5", []change{{"EAHD", 10, []byte{128}}}, "an index block of chunks"},
		{"an object header larger than the file", "edges_latest_sum.h5",
			[]change{{"OHDR", 5, []byte{3}}, {"OHDR", 6, number8(1 << 60)}}, "is larger than the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, listed(files[c.file]))
			faulttest.Require(t, fault.BadData, listed(damaged(t, files[c.file], c.changes...)), c.want)
		})
	}
}

func TestStructuresThatReferToEachOtherEnd(t *testing.T) {
	s := &source{r: bytes.NewReader(make([]byte, 1<<20)), size: 1 << 20}
	s.begin()
	for range readsOfFile {
		_, err := s.bytes("all", 0, 1<<20)
		require.NoError(t, err)
	}
	_, err := s.bytes("all", 0, 1<<20)
	require.ErrorContains(t, err, "they refer to one another")
	s.begin()
	_, err = s.bytes("all", 0, 1<<20)
	require.NoError(t, err, "another call begins anew")
}

// The links of this file's root are made to lead in circles.
func TestLinksInCircles(t *testing.T) {
	data := small(t)["contiguous_earliest_none.h5"]
	root := binary.LittleEndian.Uint64(data[64:]) // of the root's entry in the superblock
	f, err := inMemory(damaged(t, data, change{"SNOD", 16, number8(root)}))
	require.NoError(t, err)
	datasets, _, err := f.List()
	require.NoError(t, err)
	assert.Empty(t, datasets)
	_, err = f.Dataset("data/data/data")
	faulttest.Require(t, fault.BadData, err, "is a group, not an array")

	name := binary.LittleEndian.Uint64(data[bytes.Index(data, []byte("SNOD"))+8:])
	f, err = inMemory(damaged(t, data, change{"SNOD", 24, []byte{2}}, change{"SNOD", 32, number8(name)}))
	require.NoError(t, err)
	_, links, err := f.List()
	require.NoError(t, err)
	require.Len(t, links, 1)
	assert.Equal(t, Soft, links[0].Kind)
	_, err = f.Dataset("data")
	faulttest.Require(t, fault.BadData, err, "leads through more than 16 soft links")
}

func TestChecksumsAreVerified(t *testing.T) {
	files := small(t)
	for file, signatures := range map[string][]string{
		"group12_latest.h5": {"OHDR", "BTHD", "BTLF", "FRHP", "FHDB"}, "bounded_latest_none.h5": {"FAHD", "FADB"},
		"rows_latest_gzip.h5": {"EAHD", "EAIB", "EADB"}, "both_latest_gzip.h5": {"BTHD", "BTLF"},
	} {
		for _, signature := range signatures {
			data := files[file]
			at := bytes.Index(data, []byte(signature))
			require.GreaterOrEqual(t, at, 0, "%s: %s", file, signature)
			byte14 := data[at+14] ^ 0x40 // which every structure has before its checksum
			f, err := inMemory(damaged(t, data, change{signature, 14, []byte{byte14}}))
			if err == nil {
				_, _, err = f.List()
			}
			if err == nil {
				d := dataset(t, f, "data")
				err = d.ReadRows(0, d.Rows(), make([]float32, d.elements()))
				if _, _, attribute := d.Attribute("units"); err == nil {
					err = attribute
				}
			}
			require.Error(t, err, "%s: %s", file, signature)
			faulttest.Require(t, fault.BadData, err, "the checksum of ")
		}
	}
	data := files["edges_latest_sum.h5"]
	f, err := inMemory(data)
	require.NoError(t, err)
	x, err := dataset(t, f, "data").chunksOf()
	require.NoError(t, err)
	changed := bytes.Clone(data)
	last := x.chunks[0].address + x.chunks[0].stored - 1
	changed[last] ^= 1
	_, err = first(changed)
	faulttest.Require(t, fault.BadData, err, "its fletcher32 checksum is")
}
