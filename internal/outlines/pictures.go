package outlines

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// mostBytes bounds a drawing without the pictures in it.
const mostBytes = 64 << 20

var errLarge = errors.New("it has more than 64 MiB beside its pictures")

// readWithout reads a drawing without the pictures that are embedded in it. They are most of it: tens of megabytes
// of curvature and functional maps below the outlines.
func readWithout(path string) ([]byte, error) {
	file, _, err := inputfile.Open(reading, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := without(file)
	switch {
	case errors.Is(err, errLarge):
		return nil, raw.Bad(reading, path, "%v", err)
	case err != nil:
		return nil, inputfile.Error(reading, path, err)
	}
	return data, nil
}

// picture is how the attribute of an embedded picture begins.
var picture = []byte(`="data:`)

// without copies a drawing and leaves out the content of attributes that begin as pictures do, in either quotes.
func without(from io.Reader) ([]byte, error) {
	in := bufio.NewReaderSize(from, 1<<16)
	var out bytes.Buffer
	for {
		part, err := in.ReadSlice('=')
		if out.Write(part); out.Len() > mostBytes {
			return nil, errLarge
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if errors.Is(err, io.EOF) {
			return out.Bytes(), nil
		}
		if err != nil {
			return nil, err
		}
		next, _ := in.Peek(len(picture) - 1)
		if len(next) == 0 || next[0] != '"' && next[0] != '\'' || !bytes.Equal(next[1:], picture[2:]) {
			continue
		}
		quote := next[0]
		out.WriteByte(quote)
		if _, err := in.Discard(1); err != nil {
			return nil, err
		}
		for {
			switch _, err := in.ReadSlice(quote); {
			case errors.Is(err, bufio.ErrBufferFull):
				continue
			case errors.Is(err, io.EOF):
				return out.Bytes(), nil // XML that ends in an attribute
			case err != nil:
				return nil, err
			}
			break
		}
		out.WriteByte(quote)
	}
}
