package openinference

import "bytes"

// Bytes returns the elements in binary form.
func (t *Tensor) Bytes() []byte {
	var out bytes.Buffer
	out.Grow(t.size())
	_ = t.writeBinary(&out) // a buffer takes all, and NewTensor has no other types
	return out.Bytes()
}

// SetBytes sets the elements from their binary form.
func (t *Tensor) SetBytes(b []byte) error {
	n, err := elements(&wire{Shape: t.Shape})
	if err == nil {
		t.Data, err = decodeBinary(t.Datatype, n, b)
	}
	return err
}

// SetTyped sets the elements to those of the list of the datatype, as gRPC has them.
func (t *Tensor) SetTyped(fp32 []float32, fp64 []float64, int64s []int64, texts [][]byte) error {
	n, err := elements(&wire{Shape: t.Shape})
	if err != nil {
		return err
	}
	have := 0
	switch t.Datatype {
	case "FP32":
		t.Data, have = fp32, len(fp32)
	case "FP64":
		t.Data, have = fp64, len(fp64)
	case "INT64":
		t.Data, have = int64s, len(int64s)
	case "BYTES":
		t.Data, have = texts, len(texts)
	default:
		return bad("datatype", "it is not FP32, FP64, INT64 or BYTES")
	}
	if int64(have) != n {
		return bad("data", "%d elements, and the shape has %d", have, n)
	}
	return nil
}
