package dataset

import (
	"bytes"
	"context"
)

// matrix reads a matrix in text.
func (f folder) matrix(_ context.Context, name string) (*Matrix, error) {
	text, err := f.read(name)
	if err != nil {
		return nil, err
	}
	return readText(bytes.NewReader(text), f.join(name))
}
