package pickle

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// object is what the hooks of the dialect below make: who made it of what.
type object struct {
	made  string
	args  Tuple
	state any
	tail  string // a byte of the text after the state
}

// all is a dialect that admits every opcode and names of the module m.
func all() *Dialect {
	return &Dialect{
		Name: "the pickle", Least: 2, Most: 5, Opcodes: Protocol5 + Persistent, NumberKeys: true, Unneeded: "no test",
		Global: func(g Global) error {
			if strings.HasPrefix(string(g), "m.") || g == "collections.OrderedDict" || g == "_codecs.encode" ||
				g == "builtins.bytearray" || g == "__builtin__.bytearray" {
				return nil
			}
			return fmt.Errorf("needs %s", g)
		},
		Call: func(g Global, args Tuple) (any, error) {
			switch {
			case g == "collections.OrderedDict":
				return &Dict{Ordered: true}, nil
			case g == "_codecs.encode" || strings.HasSuffix(string(g), "bytearray"):
				return args[0], nil
			}
			return &object{made: "call " + string(g), args: args}, nil
		},
		New: func(g Global, args Tuple) (any, error) { return &object{made: "new " + string(g), args: args}, nil },
		Build: func(v, state any, text *Text) (any, error) {
			o, err := Want[*object](v)
			if err != nil {
				return nil, err
			}
			o.state = state
			o.tail, err = text.Take(1)
			return o, err
		},
		Load:     func(id any) (any, error) { return &object{made: "load", args: Tuple{id}}, nil },
		Distrust: func(err error) error { return fmt.Errorf("beware: %w", err) },
	}
}

// read interprets a text whose length is known, and again as one whose length is not; both must agree.
func read(t testing.TB, text string, d *Dialect) (any, error) {
	t.Helper()
	v, err := Read(NewText(strings.NewReader(text), int64(len(text))), d)
	w, unknown := Read(NewText(io.MultiReader(strings.NewReader(text)), -1), d)
	require.Equal(t, err == nil, unknown == nil, "%v, and without the length %v", err, unknown)
	require.Equal(t, v, w)
	return v, err
}

// The same value in every protocol, as Python writes it, comes out as the same value.
func TestPicklesByPythonAreRead(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		text, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("protocol%d.pkl", protocol)))
		require.NoError(t, err)
		v, err := read(t, string(text), all())
		require.NoError(t, err, protocol)
		d := v.(*Dict)
		require.Equal(t, []string{"a", "b", "7"}, d.Keys)
		require.Equal(t, []any{int64(1), int64(-2), int64(300), int64(70000), int64(1 << 40), int64(-1 << 40), 1.5, nil,
			true, false, Tuple(nil), Tuple{int64(1)}, Tuple{int64(1), int64(2)}, Tuple{int64(1), int64(2), int64(3)},
			Tuple{int64(1), int64(2), int64(3), int64(4)}, "é", strings.Repeat("x", 300)}, d.Items["a"].(*List).Items)
		ordered := d.Items["7"].(*Dict)
		require.True(t, ordered.Ordered)
		require.Equal(t, []string{"k"}, ordered.Keys)
		b := d.Items["b"].(*Dict)
		require.Equal(t, []string{"c", "long", "d"}, b.Keys)
		if protocol == 2 { // where bytes are texts that are encoded by a call
			require.Equal(t, "bytes", b.Items["c"])
			continue
		}
		c, long := b.Items["c"].(Bytes), b.Items["long"].(Bytes)
		require.Equal(t, "bytes", c.Data)
		require.Equal(t, "bytes", string(text[c.At:c.At+c.Len]))
		require.Empty(t, long.Data, "long bytes are not kept")
		require.Equal(t, strings.Repeat("y", 300), string(text[long.At:long.At+long.Len]))
	}
}

func text8(n uint64) string { return string(binary.LittleEndian.AppendUint64(nil, n)) }

func TestOpcodesAreRead(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want any
	}{
		"a frame":                 {"\x95" + text8(1) + "N", nil},
		"a long text":             {"\x8d" + text8(2) + "ab", "ab"},
		"long bytes":              {"\x8e" + text8(2) + "ab", Bytes{At: 11, Len: 2, Data: "ab"}},
		"bytes of four":           {"B\x02\x00\x00\x00ab", Bytes{At: 7, Len: 2, Data: "ab"}},
		"a byte array":            {"\x96" + text8(2) + "ab", Bytes{At: 11, Len: 2, Data: "ab"}},
		"a string of Python 2":    {"U\x02a\xe9", "aé"},
		"a long one":              {"T\x02\x00\x00\x00a\xe9", "aé"},
		"a value that is dropped": {"NK\x010", nil},
		"a mark that is dropped":  {"N(K\x01K\x021", nil},
		"an integer of no bytes":  {"\x8a\x00", int64(0)},
		"memo by count": {"K\x01\x94K\x02\x94\x86\x94h\x01\x86",
			Tuple{Tuple{int64(1), int64(2)}, int64(2)}},
		"memo out of order":           {"K\x01q\x09K\x02q\x000h\x09\x86", Tuple{int64(1), int64(1)}},
		"memo by count after another": {"K\x01q\x09K\x02\x94h\x01\x87", Tuple{int64(1), int64(2), int64(2)}},
		"memo again":                  {"K\x01q\x00K\x02q\x00h\x00\x87", Tuple{int64(1), int64(2), int64(2)}},
		"a call":                      {"cm\nf\nK\x01\x85R", &object{made: "call m.f", args: Tuple{int64(1)}}},
		"a call, names by stack":      {"\x8c\x01m\x8c\x01f\x93)R", &object{made: "call m.f"}},
		"an object":                   {"cm\nC\n)\x81", &object{made: "new m.C"}},
		"an object and attributes":    {"cm\nC\n)\x81K\x01b!", &object{made: "new m.C", state: int64(1), tail: "!"}},
		"what is kept elsewhere":      {"K\x05Q", &object{made: "load", args: Tuple{int64(5)}}},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Read(NewText(strings.NewReader("\x80\x04"+c.text+"."), int64(len(c.text)+3)), all())
			require.NoError(t, err)
			require.Equal(t, c.want, v)
		})
	}
}

func TestHostilePicklesAreRefused(t *testing.T) {
	p := func(text string) string { return "\x80\x04" + text + "." }
	for name, c := range map[string]struct{ text, why string }{
		"nothing":                {"", "is not a pickle of protocols 2 to 5"},
		"text":                   {"hello", "is not a pickle"},
		"protocol 1":             {"\x80\x01N.", "is not a pickle"},
		"protocol 6":             {"\x80\x06N.", "is not a pickle"},
		"no end":                 {"\x80\x04N", "at byte 3: 1 bytes are wanted, there are 0"},
		"protocol again":         {p("\x80\x04N"), "beware: opcode 0x80, which no test needs"},
		"inst":                   {p("(im\nC\n"), "opcode 0x69"},
		"extension":              {p("\x82\x01"), "opcode 0x82"},
		"set":                    {p("\x8f"), "opcode 0x8f"},
		"buffer":                 {p("\x97"), "opcode 0x97"},
		"eval":                   {p("cbuiltins\neval\n)R"), "at byte 2: needs builtins.eval"},
		"eval by stack":          {p("\x8c\x08builtins\x8c\x04eval\x93)R"), "needs builtins.eval"},
		"names of numbers":       {p("K\x01K\x02\x93"), "an integer where a text"},
		"endless name":           {"\x80\x04cm", "a name without an end"},
		"very long name":         {p("c" + strings.Repeat("m", maxName+1) + "\nf\n"), "a name of more than"},
		"call of an object":      {p("cm\nf\n)R)R"), "what cannot be called"},
		"call without a tuple":   {p("cm\nf\n]R"), "the arguments are a list, want a tuple"},
		"attributes of text":     {p("U\x01a}b"), "a text where an object"},
		"text too long":          {p("X\xff\xff\xff\x7fa"), "a text of 2147483647 bytes, there are 2"},
		"text one byte too long": {p("X\x05\x00\x00\x00abc"), "a text of 5 bytes, there are 4"},
		"text much too long":     {p("\x8d" + text8(1<<63) + "a"), "a text of 9223372036854775808 bytes"},
		"bytes too long":         {p("\x8e" + text8(1<<62) + "a"), "bytes of 4611686018427387904 bytes"},
		"text not UTF-8":         {p("\x8c\x01\xff"), "not valid UTF-8"},
		"key of a tuple":         {p("})Ns"), "the key of a dictionary is a tuple"},
		"keys of the same":       {p("}K\x01Ns\x8c\x011Ns"), "the key 1 occurs twice"},
		"drop of nothing":        {p("0"), "1 values are wanted"},
		"drop without a mark":    {p("N1"), "no mark"},
		"memo of nothing":        {p("\x94"), "1 values are wanted"},
		"bytes after":            {p("N") + "N", "bytes after its end"},
		"mark left":              {p("N("), "within a list"},
		"two values":             {p("NN"), "leaves 2 values"},
		"deep stack":             {p(strings.Repeat("]", MaxStack+1)), "more than 16384 values"},
		"deep marks":             {p(strings.Repeat("(", MaxStack+1)), "more than 16384 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(NewText(strings.NewReader(c.text), int64(len(c.text))), all())
			require.ErrorContains(t, err, c.why)
			_, err = Read(NewText(io.MultiReader(strings.NewReader(c.text)), -1), all())
			require.Error(t, err, "with a length that is not known")
		})
	}
}

// A dialect without hooks and with fewer opcodes refuses what it does not name.
func TestADialectAdmitsOnlyWhatItNames(t *testing.T) {
	d := &Dialect{Name: "x", Least: 2, Most: 2, Opcodes: Protocol2 + Persistent + "\x81", Unneeded: "nothing"}
	for text, why := range map[string]string{
		"\x80\x02}.":                   "",
		"\x80\x03}.":                   "x is not a pickle of protocol 2",
		"\x80\x02}K\x01Ns.":            "the key of a dictionary is an integer",
		"\x80\x02cm\nf\n.":             "needs m.f",
		"\x80\x02U\x01a)R.":            "opcode 0x55",
		"\x80\x02X\x00\x00\x00\x00)R.": "what cannot be called",
		"\x80\x02N)\x81.":              "what cannot be called",
		"\x80\x02N}b.":                 "attributes for what has none",
		"\x80\x02NQ.":                  "kept elsewhere",
	} {
		_, err := Read(NewText(strings.NewReader(text), int64(len(text))), d)
		if why == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, why)
	}
}

func TestMemoryOfAllValuesIsBounded(t *testing.T) {
	for name, value := range map[string]string{
		"texts":   "]" + strings.Repeat("\x8c\x03abca", 1000),
		"a text":  "X\x00\x40\x00\x00" + strings.Repeat("a", 1<<14),
		"lists":   "]" + strings.Repeat("]a", 1000),
		"memo":    "N" + strings.Repeat("\x94", 1000),
		"objects": "]\x94cm\nC\nq\x07" + strings.Repeat(")\x81ah\x07", 100),
	} {
		text := "\x80\x04" + value + "."
		d := all()
		d.Memory = 1 << 12
		_, err := Read(NewText(strings.NewReader(text), int64(len(text))), d)
		require.ErrorContains(t, err, "4096", name)
	}
	d := all()
	d.Memory = 1 << 12
	_, err := read(t, "\x80\x04C\xff"+strings.Repeat("a", 255)+".", d)
	require.NoError(t, err, "what fits")
}

// letters is an endless text, which counts what was read of it.
type letters struct{ read int }

func (l *letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	l.read += len(p)
	return len(p), nil
}

// A text that only reading would end is refused by its length.
func TestATextBeyondTheMemoryIsNotRead(t *testing.T) {
	d, endless := all(), &letters{}
	d.Memory = 1 << 12
	_, err := Read(NewText(io.MultiReader(strings.NewReader("\x80\x04X\xff\xff\xff\x7f"), endless), -1), d)
	require.ErrorContains(t, err, "a text of 2147483647 bytes, all values together may have 4096")
	require.Less(t, endless.read, 1<<14)
}

// failing is a reader that fails after some bytes.
type failing struct{ io.Reader }

var errDisk = errors.New("disk")

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errDisk
	}
	return n, err
}

// An error of reading is passed on as it is, at every byte of a pickle.
func TestErrorsOfReadingPass(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "protocol4.pkl"))
	require.NoError(t, err)
	for n := range len(text) {
		_, err := Read(NewText(failing{bytes.NewReader(text[:n])}, -1), all())
		require.ErrorIs(t, err, errDisk, n)
		_, err = Read(NewText(bytes.NewReader(text[:n]), int64(n)), all())
		require.Error(t, err, n)
	}
}

// What is skipped in a file is not read, and what follows is.
func TestSkippedBytesAreNotRead(t *testing.T) {
	const far = 1 << 40
	f, err := os.Create(filepath.Join(t.TempDir(), "sparse"))
	require.NoError(t, err)
	defer f.Close()
	head := "\x80\x04\x8e" + text8(far)
	_, err = f.WriteString(head)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("K\x05\x86."), int64(len(head))+far)
	require.NoError(t, err)
	size := int64(len(head)) + far + 4
	v, err := Read(NewText(io.NewSectionReader(f, 0, size), size), all())
	require.NoError(t, err)
	require.Equal(t, Tuple{Bytes{At: int64(len(head)), Len: far}, int64(5)}, v)
}

// Any bytes are refused or read, in little memory and time.
func FuzzRead(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join("testdata", "*.pkl"))
	for _, s := range []string{"cm\nC\n)\x81}\x8c\x01aK\x01sb!", "\x8c\x01m\x8c\x01f\x93)R\x94h\x00\x86", "K\x05Q",
		"\x8e" + text8(3) + "abc", "U\x02a\xe90N(K\x011"} {
		f.Add([]byte("\x80\x04" + s + "."))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 64, input, func() {
			_, _ = Read(NewText(bytes.NewReader(input), int64(len(input))), all())
		})
		_, err := Read(NewText(bytes.NewReader(input), int64(len(input))), all())
		_, unknown := Read(NewText(io.MultiReader(bytes.NewReader(input)), -1), all())
		require.Equal(t, err == nil, unknown == nil, "%v, and without the length %v", err, unknown)
	})
}

// The inputs that cost the most memory for their size stay within the guard.
func TestMemoryOfHostilePickles(t *testing.T) {
	var keys strings.Builder
	for i := range 1 << 14 {
		keys.Write([]byte{'M', byte(i), byte(i >> 8), 'N', 's'})
	}
	for name, value := range map[string]string{
		"lists":   strings.Repeat("]", MaxStack-2),
		"dicts":   strings.Repeat("}", MaxStack-2),
		"tuples":  ")" + strings.Repeat("\x85", 1<<16),
		"memo":    "N" + strings.Repeat("\x94", 1<<16),
		"objects": "cm\nC\n\x94" + strings.Repeat("h\x00)\x81", 1<<13),
		"keys":    "}" + keys.String(),
		"claim":   "\x8d" + text8(1<<40),
	} {
		input := []byte("\x80\x04" + value)
		fuzztest.Run(t, 64, input, func() {
			_, err := Read(NewText(bytes.NewReader(input), int64(len(input))), all())
			require.Error(t, err, name)
		})
		fuzztest.Run(t, 64, input, func() {
			_, err := Read(NewText(io.MultiReader(bytes.NewReader(input)), -1), all())
			require.Error(t, err, name)
		})
	}
}
