package hdf5

import "errors"

var errLZF = errors.New("the compressed data (lzf) are damaged")

// lzf expands data of Marc Lehmann's LibLZF into out, from empty to its capacity. A control byte n below 32 is
// followed by n + 1 bytes as they are. Another stands for a copy of earlier bytes: its three high bits are the
// length less 2 (a 7 adds the next byte), the others the high bits of the distance less 1, whose low bits follow.
func lzf(out, data []byte) ([]byte, error) {
	for i := 0; i < len(data); {
		control := int(data[i])
		i++
		if control < 32 {
			n := control + 1
			if n > len(data)-i || n > cap(out)-len(out) {
				return nil, errLZF
			}
			out = append(out, data[i:i+n]...)
			i += n
			continue
		}
		n := control >> 5
		if n == 7 {
			if i == len(data) {
				return nil, errLZF
			}
			n += int(data[i])
			i++
		}
		n += 2
		if i == len(data) {
			return nil, errLZF
		}
		from := len(out) - (control&31)<<8 - int(data[i]) - 1
		i++
		if from < 0 || n > cap(out)-len(out) {
			return nil, errLZF
		}
		for k := range n { // byte by byte: the copy may overlap itself
			out = append(out, out[from+k])
		}
	}
	return out, nil
}
