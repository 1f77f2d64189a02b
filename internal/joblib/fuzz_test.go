package joblib

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
	"github.com/brainwavlm/bwlm/internal/stored"
)

// maxRead is how many elements of a file the fuzzer reads.
const maxRead = 1 << 16

// readAll reads whatever a file holds, in the order of the file.
func readAll(input []byte) error {
	f, err := decode(bytes.NewReader(input), int64(len(input)), "x.jbl")
	if err != nil {
		return err
	}
	left := maxRead
	for _, a := range f.Arrays() {
		r, err := f.Reader(a.Name)
		if err != nil || r.Columns == 0 || r.Repeats*r.Rows > left || r.Columns > left/max(1, r.Repeats*r.Rows) {
			continue
		}
		left -= r.Repeats * r.Rows * r.Columns
		out := make([]float64, r.Rows*r.Columns)
		for repeat := range r.Repeats {
			if err := stored.ReadColumns(r, repeat, 0, r.Columns, out); err != nil {
				return err
			}
		}
	}
	_, err = f.Clocks()
	return err
}

// Any bytes are refused, or read, in little memory and time, apart from the windows of decoders: two passes of at
// most 8 MiB, and what was asked for, which readers convert piece by piece.
func FuzzOpen(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join("testdata", "*.jbl"))
	fuzztest.Seeds(f, filepath.Join("testdata", "*.pkl"))
	f.Fuzz(func(t *testing.T, input []byte) {
		extra := 8 * 4 * maxRead
		if packingOf(input[:min(len(input), 16)]) != nil {
			extra += 2*leastWindow + packedBonus
		}
		fuzztest.RunWith(t, 64, input, extra, func() {
			if err := readAll(input); err != nil {
				require.NotEqual(t, fault.Internal, fault.KindOf(err), "%v", err)
			}
		})
	})
}

// The inputs that cost the most memory for their size stay within the guard.
func TestMemoryOfHostileFiles(t *testing.T) {
	array := "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R(K\x01K\x00\x85" +
		"cnumpy\ndtype\nU\x02f8\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89C\x00tb"
	doubled := "]q\x00" + array + "a" // each list holds the one before it twice
	for i := range 30 {
		at := string([]byte{byte(i)})
		doubled += "0]q" + string([]byte{byte(i + 1)}) + "h" + at + "ah" + at + "a"
	}
	var deep strings.Builder
	for range 1 << 12 {
		deep.WriteString("]")
	}
	deep.WriteString(strings.Repeat("a", 1<<12-1))
	for name, c := range map[string]struct{ value, why string }{
		"one array in many lists": {"]q\x00" + array + "q\x01" + strings.Repeat("ah\x01", 1<<14) + "a",
			"names its arrays"},
		"lists of lists of lists": {"]" + doubled + "a", "in each other"},
		"deep lists":              {deep.String(), "in each other"},
		"a list in itself":        {"]q\x00h\x00a", "in each other"},
		"the same name twice": {"}(U\x03a.b" + array + "U\x01a}U\x01b" + array + "su",
			"two arrays have the name a.b"},
		"many tuples": {")" + strings.Repeat("\x85", 1<<16), "of memory"},
		"many objects": {"]cstimulus_utils\nTRFile\nq\x01" + strings.Repeat(")\x81ah\x01", 1<<13) + "0",
			"not of"},
	} {
		input := []byte("\x80\x04" + c.value + ".")
		fuzztest.Run(t, 64, input, func() {
			err := readAll(input)
			if c.why == "not of" { // objects without attributes
				require.Error(t, err, name)
				return
			}
			require.ErrorContains(t, err, c.why, name)
		})
	}
}

// The bounds grow with a file, up to a limit.
func TestBoundsOfMemory(t *testing.T) {
	for _, c := range []struct{ size, memory, window int64 }{
		{1000, leastMemory + 24000, 8 << 20}, {1 << 20, leastMemory + 24<<20, 32 << 20}, {26 << 30, 1 << 30, 256 << 20},
	} {
		require.Equal(t, c.memory, memoryOf(c.size))
		require.Equal(t, c.window, windowOf(c.size))
	}
}

// Each rule of what a pickle may say of an array.
func TestHostilePicklesAreRefused(t *testing.T) {
	const f8 = "cnumpy\ndtype\nU\x02f8\x89\x88\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
	const begun = "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
	array := func(shape, dtype, columns, data string) string {
		return begun + "(K\x01" + shape + dtype + columns + data + "tb"
	}
	wrapped := func(shape, dtype, rest string) string {
		return "cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x08subclasscnumpy\nndarray\nU\x05shape" + shape +
			"U\x05dtype" + dtype + rest + "ub"
	}
	eight := "C\x08" + strings.Repeat("\x00", 8)
	require.NoError(t, readAll([]byte("\x80\x04"+array("K\x01\x85", f8, "\x89", eight)+".")))
	require.NoError(t, readAll([]byte("\x80\x04"+wrapped("K\x01\x85", f8,
		"U\x05orderU\x01C")+strings.Repeat("\x00", 8)+".")))
	for name, c := range map[string]struct{ value, why string }{
		"short data": {array("K\x02\x85", f8, "\x89", eight),
			"shape [2] of f8 needs 16 bytes, there are 8"},
		"long data":      {array("K\x00\x85", f8, "\x89", eight), "needs 0 bytes, there are 8"},
		"data of a list": {array("K\x01\x85", f8, "\x89", "]"), "the elements of an array are a list"},
		"data of a text": {array("K\x01\x85", f8, "\x89", "X\x03\x00\x00\x00\xe4\xb8\xad"), "are a text"},
		"negative shape": {array("J\xff\xff\xff\xff\x85", f8, "\x89", eight), "want a whole number from 0 on"},
		"shape of texts": {array("U\x01a\x85", f8, "\x89", eight), "number 0 of a shape is a text"},
		"shape overflows": {array("J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x87", f8, "\x89", eight),
			"overflow"},
		"no order":        {array("K\x01\x85", f8, "N", eight), "without its order"},
		"dtype of a text": {array("K\x01\x85", "U\x02f8", "\x89", eight), "a text where an object"},
		"dtype without order": {array("K\x01\x85", "cnumpy\ndtype\nU\x02f8\x89\x88\x87R", "\x89", eight),
			"no order of bytes"},
		"unknown dtype": {array("K\x01\x85", "cnumpy\ndtype\nU\x02x8\x89\x88\x87R", "\x89", eight),
			"dtype x8"},
		"dtype without a size": {array("K\x01\x85", "cnumpy\ndtype\nU\x01U\x89\x88\x87R", "\x89", eight), "dtype U"},
		"no dtype":             {array("K\x01\x85", "cnumpy\ndtype\nU\x00\x89\x88\x87R", "\x89", eight), "of dtype"},
		"four attributes":      {begun + "(K\x01K\x01\x85" + f8 + "\x89tb", "an array of 4 attributes"},
		"attributes twice": {array("K\x01\x85", f8, "\x89",
			eight) + "(K\x01K\x01\x85" + f8 + "\x89" + eight + "tb", "already"},
		"no attributes":           {begun, "an array without a shape"},
		"another class":           {strings.Replace(begun, "ndarray", "dtype", 1), "an array of the class numpy.dtype"},
		"wrapped without a shape": {wrapped("N", f8, "U\x05orderU\x01C"), "a shape: there is None where a tuple"},
		"wrapped without order":   {wrapped("K\x01\x85", f8, ""), "the order of an array is <nil>"},
		"wrapped beyond the end":  {wrapped("J\xff\xff\xff\x7f\x85", f8, "U\x05orderU\x01C"), "bytes are wanted"},
		"a call of a class":       {"cnumpy\nndarray\n)R", "a call of what cannot be called: numpy.ndarray"},
		"an object of a function": {"c_codecs\nencode\n)\x81", "what cannot be called"},
		"encoded otherwise":       {"c_codecs\nencode\nU\x01aU\x05utf-8\x86R", "encoded as utf-8"},
		"attributes of a dict":    {"}}b", "attributes for what has none"},
		"a scalar too short": {"cnumpy.core.multiarray\nscalar\n" + f8 + "C\x01a\x86R",
			"a number of 1 bytes, want 8"},
		"a buffer of wrong order": {"cnumpy.core.numeric\n_frombuffer\n(" + eight + f8 + "K\x01\x85U\x01XtR",
			"is X, want C or F"},
		"a clock without times": {"cstimulus_utils\nTRFile\n)\x81}b", "trtimes: there is None where a list"},
		"a clock of texts":      {"cstimulus_utils\nTRFile\n)\x81}U\x07trtimes]U\x01aasb", "item 0 is a text"},
		"a clock without a TR": {"cstimulus_utils\nTRFile\n)\x81}U\x07trtimes]sU\x0esoundstarttimeK\x01sb",
			"expectedtr is None, want a number"},
	} {
		if strings.HasPrefix(name, "a clock") {
			c.value = "]" + c.value + "a"
		}
		err := readAll([]byte("\x80\x04" + c.value + "."))
		require.ErrorContains(t, err, c.why, name)
		require.Equal(t, fault.BadData, fault.KindOf(err), name)
	}
}
