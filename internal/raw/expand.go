package raw

import (
	"bufio"
	"compress/gzip"
	"io"
)

// streamBuffer is the memory of a stream's buffer.
const streamBuffer = 1 << 16

// Expand returns the content of a file that may be gzipped, and whether it is.
func Expand(file io.Reader) (in *bufio.Reader, zipped bool, err error) {
	in = bufio.NewReaderSize(file, streamBuffer)
	head, _ := in.Peek(3)
	if !IsGzip(head) {
		return in, false, nil
	}
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, true, compressed(err)
	}
	return bufio.NewReaderSize(z, streamBuffer), true, nil
}
