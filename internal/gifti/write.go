package gifti

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// Structures of the cortex, as the key AnatomicalStructurePrimary of a file's metadata names them.
const (
	CortexLeft  = "CortexLeft"
	CortexRight = "CortexRight"
)

// NewFloat makes an array of real numbers, row by row. Viewers show its name.
func NewFloat(intent, name string, dims []int, values []float32) Array {
	b := make([]byte, 0, 4*len(values))
	b, _ = binary.Append(b, binary.LittleEndian, values)
	return Array{Intent: intent, Dims: dims, Meta: nameOf(name), data: b, kind: raw.Float32, order: binary.LittleEndian}
}

// NewInt makes an array of whole numbers, row by row.
func NewInt(intent, name string, dims []int, values []int32) Array {
	b := make([]byte, 0, 4*len(values))
	b, _ = binary.Append(b, binary.LittleEndian, values)
	return Array{Intent: intent, Dims: dims, Meta: nameOf(name), data: b, kind: raw.Int32, order: binary.LittleEndian}
}

func nameOf(name string) map[string]string {
	if name == "" {
		return nil
	}
	return map[string]string{"Name": name}
}

// WriteTo writes the image as GIFTI 1.0, GZipBase64Binary and little-endian. Equal images give
// equal bytes.
func (im *Image) WriteTo(w io.Writer) (int64, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header + "<!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">\n")
	fmt.Fprintf(&b, "<GIFTI Version=\"1.0\" NumberOfDataArrays=\"%d\">\n", len(im.Arrays))
	writeMeta(&b, im.Meta)
	if len(im.Labels) > 0 {
		b.WriteString("<LabelTable>\n")
		for _, l := range im.Labels {
			fmt.Fprintf(&b, "<Label Key=\"%d\" Red=\"%.4g\" Green=\"%.4g\" Blue=\"%.4g\" Alpha=\"%.4g\">%s</Label>\n",
				l.Key, l.R, l.G, l.B, l.A,
				escaped(l.Name))
		}
		b.WriteString("</LabelTable>\n")
	}
	for i := range im.Arrays {
		if err := im.Arrays[i].write(&b); err != nil {
			return 0, err
		}
	}
	b.WriteString("</GIFTI>\n")
	return b.WriteTo(w)
}

func escaped(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
	return b.String()
}

func writeMeta(b *bytes.Buffer, meta map[string]string) {
	if len(meta) == 0 {
		return
	}
	b.WriteString("<MetaData>\n")
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		fmt.Fprintf(b, "<MD><Name>%s</Name><Value>%s</Value></MD>\n", escaped(key), escaped(meta[key]))
	}
	b.WriteString("</MetaData>\n")
}

const identity = `<CoordinateSystemTransformMatrix>
<DataSpace>NIFTI_XFORM_UNKNOWN</DataSpace>
<TransformedSpace>NIFTI_XFORM_UNKNOWN</TransformedSpace>
<MatrixData>1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1</MatrixData>
</CoordinateSystemTransformMatrix>
`

func (a *Array) write(b *bytes.Buffer) error {
	size, err := raw.Bytes(a.kind, a.Dims)
	if err != nil || size != len(a.data) {
		return fmt.Errorf("gifti: shape %v needs %d bytes, there are %d", a.Dims, size, len(a.data))
	}
	endian := "LittleEndian"
	if a.order == binary.BigEndian {
		endian = "BigEndian"
	}
	fmt.Fprintf(b,
		"<DataArray Intent=%q DataType=\"NIFTI_TYPE_%s\" ArrayIndexingOrder=\"RowMajorOrder\" Dimensionality=\"%d\"",
		a.Intent, a.kind.Name(), len(a.Dims))
	for i, d := range a.Dims {
		fmt.Fprintf(b, " Dim%d=\"%d\"", i, d)
	}
	fmt.Fprintf(b, " Encoding=\"GZipBase64Binary\" Endian=%q ExternalFileName=\"\" ExternalFileOffset=\"\">\n", endian)
	writeMeta(b, a.Meta)
	if a.Intent == PointSet {
		b.WriteString(identity)
	}
	b.WriteString("<Data>")
	text := base64.NewEncoder(base64.StdEncoding, b)
	z := zlib.NewWriter(text)
	for _, step := range []func() error{
		func() error { _, err := z.Write(a.data); return err },
		z.Close, text.Close,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	b.WriteString("</Data>\n</DataArray>\n")
	return nil
}
