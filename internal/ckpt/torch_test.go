package ckpt

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// The verdict on each case is the one wanted by the goldens; "policy" marks what torch.load accepts
// although it may mean two things. What the reference loaded has the reference's values.
func TestTorchGoldens(t *testing.T) {
	dir := filepath.Join(golden, "containers", "bin")
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	require.NoError(t, err)
	var expected struct {
		Cases map[string]struct{ Want string }
	}
	require.NoError(t, json.Unmarshal(text, &expected))
	want := map[string]bool{"ok_zip": true, "ok_zip_params_views": true, "ok_legacy": false}
	for name, c := range expected.Cases {
		want[name] = c.Want == "accept"
	}
	require.Len(t, want, 29)
	values, err := Open(filepath.Join(dir, "expected.safetensors"))
	require.NoError(t, err)
	defer values.Close()
	compared := 0
	for name, accept := range want {
		t.Run(name, func(t *testing.T) {
			f, err := OpenTorch(filepath.Join(dir, name+".bin"))
			if !accept {
				faulttest.Require(t, fault.BadData, err, "read PyTorch file: ", name+".bin", "; ")
				return
			}
			require.NoError(t, err)
			defer f.Close()
			require.Empty(t, f.Settings())
			if name == "ok_handmade" {
				got, err := f.Float32("a")
				require.NoError(t, err)
				require.Equal(t, []float32{0, 1, 2, 3}, got)
				return
			}
			group := map[string]string{"ok_zip": "zip/", "ok_zip_params_views": "views/"}[name]
			var names []string
			for info := range values.Tensors() {
				key, ours := strings.CutPrefix(info.Name, group)
				if !ours {
					continue
				}
				names = append(names, key)
				got, ok := f.Info(key)
				require.True(t, ok, key)
				require.Equal(t, info.DType, got.DType, key)
				require.Equal(t, info.Shape, got.Shape, key)
				data, err := f.bytes(key)
				require.NoError(t, err)
				wanted, err := values.bytes(info.Name)
				require.NoError(t, err)
				require.Equal(t, wanted, data, key)
				compared++
			}
			require.ElementsMatch(t, names, f.Names())
		})
	}
	require.Equal(t, 23, compared)
}

// What follows makes pickles: each function gives the opcodes that leave one value on the stack.
func pText(s string) string {
	return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
}

func pInt(n int64) string {
	return "\x8a\x08" + string(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func pTuple(items ...string) string { return "(" + strings.Join(items, "") + "t" }

func pInts(list ...int64) string {
	var items []string
	for _, n := range list {
		items = append(items, pInt(n))
	}
	return pTuple(items...)
}

func pDict(items ...string) string { return "}(" + strings.Join(items, "") + "u" }

const pOrdered = "ccollections\nOrderedDict\n)R"

func pStorage(kind, key string, n int64) string {
	return pTuple(pText("storage"), "ctorch\n"+kind+"\n", pText(key), pText("cpu"), pInt(n)) + "Q"
}

func pTensor(storage string, offset int64, shape, strides string) string {
	return "ctorch._utils\n_rebuild_tensor_v2\n" + pTuple(storage, pInt(offset), shape, strides, "\x89", pOrdered) + "R"
}

// pickled is a whole pickle.
func pickled(value string) string { return pickleMagic + value + "." }

// entries are the files of an archive in order: names and contents.
type entries [][2]string

// torchFile is a file by torch.save with a pickle and the storages 0, 1, ...
func torchFile(pickle string, storages ...string) []byte {
	e := entries{{"m/data.pkl", pickle}, {"m/byteorder", "little"}}
	for i, s := range storages {
		e = append(e, [2]string{fmt.Sprintf("m/data/%d", i), s})
	}
	return e.zip(nil)
}

// zip stores the entries; edit may change the header of each.
func (e entries) zip(edit func(*zip.FileHeader)) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, item := range e {
		n := uint64(len(item[1]))
		h := &zip.FileHeader{Name: item[0], CompressedSize64: n, UncompressedSize64: n}
		if edit != nil {
			edit(h)
		}
		to, err := w.CreateRaw(h)
		if err == nil {
			_, err = to.Write([]byte(item[1]))
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func readTorchBytes(b []byte) (*File, error) {
	return decodeTorch(bytes.NewReader(b), int64(len(b)), "x.bin")
}

var (
	fourFloats = string(mustAppend([]float32{0, 1, 2, 3}))
	two        = pStorage("FloatStorage", "0", 4)
	square     = pTensor(two, 0, pInts(2, 2), pInts(2, 1))
)

func mustAppend(values any) []byte {
	b, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		panic(err)
	}
	return b
}

// A pickle of one tensor called a.
func oneTensor(tensor string) string { return pickled(pDict(pText("a"), tensor)) }

func TestTorchAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		tensor string
		want   []float32
	}{
		"plain":           {square, []float32{0, 1, 2, 3}},
		"transposed":      {pTensor(two, 0, pInts(2, 2), pInts(1, 2)), []float32{0, 2, 1, 3}},
		"column":          {pTensor(two, 1, pInts(2), pInts(2)), []float32{1, 3}},
		"repeated":        {pTensor(two, 3, pInts(2, 2), pInts(0, 0)), []float32{3, 3, 3, 3}},
		"any stride of 1": {pTensor(two, 2, pInts(1, 2), pInts(99, 1)), []float32{2, 3}},
		"number":          {pTensor(two, 2, pInts(), pInts()), []float32{2}},
		"empty":           {pTensor(two, 4, pInts(2, 0), pInts(1, 1)), []float32{}},
		"seven parts": {"ctorch._utils\n_rebuild_tensor_v2\n" +
			pTuple(two, pInt(0), pInts(1), pInts(1), "\x88", pOrdered, "N") + "R", []float32{0}},
		"parameter": {"ctorch._utils\n_rebuild_parameter\n" + pTuple(square, "\x88", pOrdered) + "R",
			[]float32{0, 1, 2, 3}},
		"small opcode": {pTensor(two, 0, "K\x02M\x02\x00\x86", "K\x02J\x01\x00\x00\x00\x86"), []float32{0, 1, 2, 3}},
		"memo": {pTensor(two, 0, "K\x02q\x05h\x05\x86r\x05\x01\x00\x00", "K\x02K\x01\x86"),
			[]float32{0, 1, 2, 3}},
		"long memo": {pTensor(two, 0, "K\x02r\x05\x01\x00\x00j\x05\x01\x00\x00\x86", "K\x02K\x01\x86"),
			[]float32{0, 1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := readTorchBytes(torchFile(oneTensor(c.tensor), fourFloats))
			require.NoError(t, err)
			got, err := f.Float32("a")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
			tensor, err := f.Tensor("a")
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, WriteTo(&out, []Tensor{tensor}, nil))
			again, err := readBytes(out.Bytes())
			require.NoError(t, err)
			got, err = again.Float32("a")
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

// A state dict carries attributes, which are passed over; a tensor may be known by two names.
func TestTorchStateDict(t *testing.T) {
	state := pDict(pText("_metadata"), pOrdered+"("+pText("encoder")+pDict(pText("version"), "K\x01")+"u")
	f, err := readTorchBytes(torchFile(pickled(pOrdered+"("+pText("a")+square+"q\x01"+pText("b")+"h\x01u"+state+"b"),
		fourFloats))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, f.Names())
	require.Empty(t, f.Settings())
	require.Equal(t, "x.bin:b", f.Where("b"))
	_, err = f.Int64("a")
	faulttest.Require(t, fault.BadData, err, "read PyTorch file: x.bin:a: holds float32, not integers")
	_, err = f.bytes("c")
	faulttest.Require(t, fault.BadData, err, "read PyTorch file: x.bin:c: there is no such tensor among 2")
}

func TestTorchSettings(t *testing.T) {
	half := "G" + string(binary.BigEndian.AppendUint64(nil, math.Float64bits(.5)))
	cfg := pDict(pText("layers"), "K\x0c", pText("dropout"), half, pText("name"), pText("é"), pText("none"), "N",
		pText("yes"), "\x88", pText("list"), "](K\x01"+pInt(-2)+"J\xfe\xff\xff\xff\x8a\x01\xffe", pText("tuple"),
		pTuple("K\x03"), pText("more"), pDict(pText("x"), "]K\x01a"))
	f, err := readTorchBytes(torchFile(pickled(pDict(pText("cfg"), cfg, pText("model"), pDict(pText("a.b"), square),
		pText("epoch"), "K\x07")), fourFloats))
	require.NoError(t, err)
	require.Equal(t, []string{"model.a.b"}, f.Names())
	require.Equal(t, map[string]any{
		"cfg": map[string]any{"layers": int64(12), "dropout": .5, "name": "é", "none": nil, "yes": true,
			"list": []any{int64(1), int64(-2), int64(-2), int64(-1)}, "tuple": []any{int64(3)},
			"more": map[string]any{"x": []any{int64(1)}}},
		"model": map[string]any{},
		"epoch": int64(7),
	}, f.Settings())

	path := filepath.Join(t.TempDir(), "pytorch_model.bin")
	require.NoError(t, os.WriteFile(path, torchFile(pickled(pDict(pText("cfg"), cfg, pText("model"),
		pDict(pText("a.b"), square))), fourFloats), 0o600))
	_, err = OpenModel(filepath.Dir(path))
	faulttest.Require(t, fault.BadData, err,
		"read PyTorch file: "+path+": holds more than the tensors of one model; if it is Microsoft's",
		"convert it first")
}

func TestTorchDTypes(t *testing.T) {
	for kind, dt := range storageTypes {
		_, name, _ := strings.Cut(string(kind), ".")
		f, err := readTorchBytes(torchFile(oneTensor(pTensor(pStorage(name, "0", 8/int64(dt.size())), 0, pInts(1),
			pInts(1))), "\x01\x00\x00\x00\x00\x00\x00\x00"))
		require.NoError(t, err)
		info, _ := f.Info("a")
		require.Equal(t, dt, info.DType)
	}
	require.Len(t, storageTypes, 10)
}

// Each rule of what a pickle may say.
func TestPickleRefused(t *testing.T) {
	view := func(offset int64, shape, strides string) string {
		return oneTensor(pTensor(two, offset, shape, strides))
	}
	const big = math.MaxInt64
	for name, c := range map[string]struct{ pickle, why string }{
		"empty":            {"", "not a pickle of protocol 2"},
		"protocol 3":       {"\x80\x03}.", "not a pickle of protocol 2"},
		"protocol again":   {pickled("\x80\x02}"), "opcode 0x80"},
		"no end":           {pickleMagic + "}", "1 bytes are wanted, there are 0"},
		"bytes after":      {pickled("}") + "}", "1 bytes after its end"},
		"no value":         {pickled(""), "leaves 0 values"},
		"two values":       {pickled("}}"), "leaves 2 values"},
		"mark left":        {pickled("}("), "within a list"},
		"mark missing":     {pickled("}u"), "there is no mark"},
		"below the mark":   {pickled("}K\x01(\x85"), "1 values are wanted, the stack has 0"},
		"underflow":        {pickled("s"), "2 values are wanted"},
		"odd":              {pickled("}(" + pText("a") + "u"), "a key without a value"},
		"key of a number":  {pickled(pDict("K\x01", "K\x01")), "want text"},
		"key twice":        {pickled(pDict(pText("a"), "N", pText("a"), "N")), "the key a occurs twice"},
		"item for a list":  {pickled("](" + pText("a") + "Nu"), "a list where a dictionary"},
		"append to a dict": {pickled("}K\x01a"), "a dictionary where a list"},
		"memo miss":        {pickled("h\x07"), "number 7"},
		"memo of nothing":  {pickled("q\x07"), "1 values are wanted"},
		"text beyond":      {pickled("X\xff\xff\xff\xff"), "a text of 4294967295 bytes"},
		"text not UTF-8":   {pickled(pDict(pText("\xff"), "N")), "UTF-8"},
		"long of 9":        {pickled("\x8a\x09123456789"), "an integer of 9 bytes"},
		"long beyond":      {pickled("\x8a\xff"), "255 bytes are wanted"},
		"eval": {pickled("cbuiltins\neval\n" + pTuple(pText("1")) + "R"),
			"needs builtins.eval, which is neither"},
		"endless name":        {pickled("cos"), "a name without an end"},
		"long name":           {pickled("c" + strings.Repeat("o", 5000) + "\ns\n"), "needs ooo"},
		"inst":                {pickled("(ios\nsystem\n"), "opcode 0x69"},
		"newobj":              {pickled("ccollections\nOrderedDict\n)\x81"), "opcode 0x81"},
		"extension":           {pickled("\x82\x01"), "opcode 0x82"},
		"stack global":        {pickled(pText("os") + pText("system") + "\x93"), "opcode 0x93"},
		"call of a storage":   {pickled("ctorch\nFloatStorage\n)R"), "what cannot be called"},
		"call of a text":      {pickled(pText("a") + ")R"), "what cannot be called"},
		"call without tuple":  {pickled("ccollections\nOrderedDict\n]R"), "want a tuple"},
		"filled OrderedDict":  {pickled("ccollections\nOrderedDict\n" + pTuple("]") + "R"), "begin empty"},
		"attributes of dict":  {pickled("}}b"), "what has none"},
		"attributes of list":  {pickled("]}b"), "a list where"},
		"attributes a number": {pickled(pOrdered + "K\x01b"), "an integer where"},
		"a list":              {pickled("]"), "no dictionary"},
		"a name":              {pickled(pDict(pText("a"), "ctorch\nFloatStorage\n")), "a: is neither a tensor"},
		"a storage":           {pickled(pDict(pText("a"), two)), "a: is neither a tensor"},
		"tensor in a list":    {pickled(pDict(pText("a"), "]"+square+"a")), "a tensor too deep"},
		"list in itself":      {pickled(pDict(pText("a"), "]q\x01h\x01a")), "more than 8 in each other"},
		"dict in itself":      {pickled("}q\x01" + pText("a") + "h\x01s"), "more than 8 in each other"},
		"NUL in a name":       {pickled(pDict(pText("a\x00"), square)), "NUL"},
		"long name of group": {pickled(pDict(pText(strings.Repeat("g", 65)), pDict(pText("a"), square))),
			"more than 64 bytes"},
		"deep stack": {pickled(strings.Repeat("}", maxStack+1)), "more than 16384 values"},
		"deep marks": {pickled(strings.Repeat("(", maxStack+1)), "more than 16384 values"},

		"negative offset":  {view(-1, pInts(2), pInts(1)), "at element -1 of a storage of 4"},
		"offset beyond":    {view(5, pInts(0), pInts(1)), "at element 5"},
		"at the end":       {view(4, pInts(1), pInts(1)), "reaches element 4"},
		"offset overflows": {view(big, pInts(1), pInts(1)), "at element 92"},
		"negative size":    {view(0, pInts(-1), pInts(1)), "is -1"},
		"size overflows":   {view(0, pInts(big, big), pInts(1, 1)), "overflow"},
		"0 hides overflow": {view(0, pInts(big, big, 0), pInts(1, 1, 1)), "overflow"},
		"negative stride":  {view(1, pInts(2), pInts(-1)), "is -1"},
		"stride overflows": {view(0, pInts(2, 2), pInts(big, big)), "overflow"},
		"stride huge":      {view(0, pInts(3), pInts(big)), "overflow"},
		"stride beyond":    {view(0, pInts(2, 2), pInts(3, 1)), "reaches element 4 of a storage of 4"},
		"expand bomb":      {view(0, pInts(1<<40), pInts(0)), "a storage of 16"},
		"overlap":          {view(0, pInts(3, 2), pInts(1, 1)), "24 bytes in a storage of 16"},
		"ranks differ":     {view(0, pInts(2, 2), pInts(1)), "2 dimensions with 1 strides"},
		"rank":             {view(0, pInts(make([]int64, 17)...), pInts(make([]int64, 17)...)), "at most 16"},
		"shape of text":    {view(0, pTuple(pText("a")), pInts(1)), "want a whole number"},
		"shape of bool":    {view(0, pTuple("\x88"), pInts(1)), "want a whole number"},
		"shape a list":     {view(0, "]", pInts()), "not a tuple"},
		"five parts": {oneTensor("ctorch._utils\n_rebuild_tensor_v2\n" +
			pTuple(two, "K\x00", pInts(), pInts(), "\x89") + "R"), "a tensor of 5 parts"},
		"hooks": {oneTensor(strings.Replace(square, pOrdered, pDict(pText("a"), "N"), 1)), "no hooks"},
		"parameter of 2": {oneTensor("ctorch._utils\n_rebuild_parameter\n" + pTuple(square, "\x88") + "R"),
			"a parameter that is not"},
		"parameter of 1": {oneTensor("ctorch._utils\n_rebuild_parameter\n" + pTuple("K\x01", "\x88", pOrdered) + "R"),
			"a parameter that is not"},

		"storage of 4":      {oneTensor(pTuple("N", "N", "N", "N") + "Q"), "not a tuple of 5"},
		"storage of a text": {oneTensor(pText("0") + "Q"), "not a tuple of 5"},
		"storage id": {oneTensor(pTuple(pText("module"), "ctorch\nFloatStorage\n", pText("0"), "N", "K\x04") +
			"Q"), "the id of a storage is not ('storage'"},
		"storage type": {oneTensor(strings.Replace(two, "ctorch\nFloatStorage\n", "ccollections\nOrderedDict\n",
			1)), "the id of a storage is not ('storage'"},
		"storage class": {oneTensor(pStorage("ComplexFloatStorage", "0", 4)), "needs torch.ComplexFloatStorage"},
		"key": {oneTensor(pStorage("FloatStorage", "../0", 4)),
			"the key ../0 of a storage is not a number"},
		"no key":            {oneTensor(pStorage("FloatStorage", "", 4)), "is not a number"},
		"key missing":       {oneTensor(pStorage("FloatStorage", "1", 4)), "storage 1 is not in the archive"},
		"too long":          {oneTensor(pStorage("FloatStorage", "0", 5)), "16 bytes, which are not 5 elements of F32"},
		"too short":         {oneTensor(pStorage("FloatStorage", "0", 3)), "16 bytes, which are not 3 elements"},
		"negative length":   {oneTensor(pStorage("FloatStorage", "0", -4)), "16 bytes, which are not -4"},
		"length overflows":  {oneTensor(pStorage("FloatStorage", "0", 1<<62+4)), "which are not"},
		"negative overflow": {oneTensor(pStorage("FloatStorage", "0", -1<<62+4)), "which are not"},
		"two types": {pickled(pDict(pText("a"), square, pText("b"),
			pTensor(pStorage("IntStorage", "0", 4), 0, pInts(4), pInts(1)))), "described in two ways"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTorchBytes(torchFile(c.pickle, fourFloats))
			faulttest.Require(t, fault.BadData, err, "read PyTorch file: x.bin", c.why, "; ")
		})
	}
}

// Many names for the same bytes do not make a small file large.
func TestTorchViewsRefused(t *testing.T) {
	items := []string{pText("a0"), square + "q\x01"}
	for i := range 1000 {
		items = append(items, pText(fmt.Sprint("a", i+1)), "h\x01")
	}
	file := torchFile(pickled(pDict(items...)), strings.Repeat(fourFloats, 1))
	_, err := readTorchBytes(file)
	require.NoError(t, err, "small tensors")
	big := strings.ReplaceAll(items[1], two, pStorage("FloatStorage", "0", 4000))
	items[1] = strings.ReplaceAll(big, pInts(2, 2)+pInts(2, 1), pInts(2, 2000)+pInts(2000, 1))
	_, err = readTorchBytes(torchFile(pickled(pDict(items...)), strings.Repeat(fourFloats, 1000)))
	faulttest.Require(t, fault.BadData, err, "more than 2 times the bytes")
	items[1] = strings.ReplaceAll(items[1], pInts(2000, 1), pInts(0, 0))
	_, err = readTorchBytes(torchFile(pickled(pDict(items...)), strings.Repeat(fourFloats, 1000)))
	faulttest.Require(t, fault.BadData, err, "more than 2 times the bytes")
}

// Each rule of the archive.
func TestArchiveRefused(t *testing.T) {
	good := entries{{"m/data.pkl", oneTensor(square)}, {"m/data/0", fourFloats}, {"m/version", "3\n"}}
	with := func(name, text string) []byte { return append(slices.Clone(good), [2]string{name, text}).zip(nil) }
	edited := func(edit func(*zip.FileHeader)) []byte { return good.zip(edit) }
	cut := good.zip(nil)
	overlap := good.zip(nil) // the last entry of the directory points to the second
	second := bytes.Index(overlap, []byte("PK\x01\x02"))
	second += 1 + bytes.Index(overlap[second+1:], []byte("PK\x01\x02"))
	third := second + 1 + bytes.Index(overlap[second+1:], []byte("PK\x01\x02"))
	copy(overlap[third+42:third+46], overlap[second+42:second+46])
	for name, c := range map[string]struct {
		file []byte
		why  string
	}{
		"empty": {nil, "is not a zip archive"},
		"text":  {[]byte("hello"), "is not a zip archive, as torch.save writes"},
		"legacy": {[]byte("\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
			"before version 1.6; if you trust it, save it again: python -c"},
		"cut":             {cut[:len(cut)-1], "the zip archive cannot be read"},
		"something ahead": {append([]byte("#!/bin/sh\n"), cut...), "is not a zip archive"},
		"other folder":    {with("n/data/1", ""), "entry n/data/1: the name"},
		"no folder":       {with("data", ""), "entry data: the name"},
		"leads out":       {with("m/../../x", ""), "entry m/../../x: the name"},
		"absolute":        {with("/m/x", ""), "entry /m/x: the name"},
		"folder of dots":  {entries{{"../data.pkl", pickled("}")}}.zip(nil), "entry ../data.pkl: the name"},
		"backslash":       {with(`m/..\x`, ""), "the name is not that"},
		"NUL":             {with("m/data/0\x00", ""), "the name is not that"},
		"twice":           {with("m/data/0", fourFloats), "entry m/data/0: the name occurs twice"},
		"compressed": {edited(func(h *zip.FileHeader) { h.Method = zip.Deflate }),
			"entry m/data.pkl: is compressed"},
		"encrypted":      {edited(func(h *zip.FileHeader) { h.Flags |= 1 }), "is encrypted"},
		"sizes differ":   {edited(func(h *zip.FileHeader) { h.UncompressedSize64++ }), "stored as"},
		"overlap":        {overlap, "entries of the zip archive overlap"},
		"script":         {with("m/constants.pkl", pickled("}")), "a TorchScript program"},
		"big-endian":     {with("m/byteorder", "big"), "byteorder is big, want little"},
		"byteorder long": {with("m/byteorder", strings.Repeat("l", 17)), "an entry has 17 bytes"},
		"no pickle":      {entries{{"m/version", "3\n"}}.zip(nil), "has no data.pkl"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readTorchBytes(c.file)
			faulttest.Require(t, fault.BadData, err, "read PyTorch file: x.bin: ", c.why, "; ")
		})
	}
	_, err := readTorchBytes(cut)
	require.NoError(t, err, "the file that the cases are made of")
}

// The directory of an archive of 4 GiB and more is described with 64 bits.
func TestTorchZip64(t *testing.T) {
	file := torchFile(oneTensor(square), fourFloats)
	end := file[len(file)-22:]
	le := binary.LittleEndian
	count, size, at := uint64(le.Uint16(end[10:])), uint64(le.Uint32(end[12:])), uint64(le.Uint32(end[16:]))
	long := slices.Clone(file[:len(file)-22])
	where := uint64(len(long))
	long = append(long, "PK\x06\x06"...)
	long = le.AppendUint64(long, 44)
	long = append(long, 45, 0, 45, 0)
	for _, n := range []any{uint32(0), uint32(0), count, count, size, at} {
		long, _ = binary.Append(long, le, n)
	}
	long = append(long, "PK\x06\x07\x00\x00\x00\x00"...)
	long = le.AppendUint32(le.AppendUint64(long, where), 1)
	long = append(long, "PK\x05\x06\x00\x00\x00\x00"...)
	long = append(long, bytes.Repeat([]byte{0xff}, 12)...)
	long = append(long, 0, 0)
	f, err := readTorchBytes(long)
	require.NoError(t, err)
	got, err := f.Float32("a")
	require.NoError(t, err)
	require.Equal(t, []float32{0, 1, 2, 3}, got)
}

func TestOpenModelTorch(t *testing.T) {
	put := func(dir, name string, data []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	named := func(name string) []byte { return torchFile(pickled(pDict(pText(name), square)), fourFloats) }
	dir := t.TempDir()
	names := func() []string {
		f, err := OpenModel(dir)
		require.NoError(t, err)
		defer f.Close()
		_, err = f.Float32(f.Names()[0])
		require.NoError(t, err)
		return f.Names()
	}
	put(dir, "p-1.bin", named("a"))
	put(dir, "p-2.bin", named("b"))
	put(dir, "pytorch_model.bin.index.json", []byte(`{"weight_map": {"b": "p-2.bin", "a": "p-1.bin"}}`))
	require.Equal(t, []string{"a", "b"}, names())
	put(dir, "pytorch_model.bin", named("c"))
	require.Equal(t, []string{"c"}, names(), "one file comes before shards")
	require.NoError(t, Write(filepath.Join(dir, "model.safetensors"), []Tensor{NewTensor("d", []int{1}, []float32{1})},
		nil))
	require.Equal(t, []string{"d"}, names(), "safetensors come before pickles")
}

// A file that is cut while it is open gives an error.
func TestTorchCutWhileOpen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.bin")
	require.NoError(t, os.WriteFile(path, torchFile(pickled(pDict(pText("a"), square, pText("t"),
		pTensor(two, 0, pInts(2, 2), pInts(1, 2)))), fourFloats), 0o600))
	f, err := OpenTorch(path)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, os.Truncate(path, 10))
	for _, name := range f.Names() {
		_, err = f.Float32(name)
		faulttest.Require(t, fault.IO, err, "read PyTorch file: "+path+":"+name, "shorter")
	}
	_, err = OpenTorch(filepath.Join(t.TempDir(), "none.pt"))
	faulttest.Require(t, fault.Missing, err, "read PyTorch file: ")
}
