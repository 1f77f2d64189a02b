package hdf5

import (
	"fmt"
	"strings"
)

// Identifiers of filters, as registered with The HDF Group.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
	filterLZF      = 32000
)

// filterNames are the names of filters that files of laboratories have, read or not.
var filterNames = map[int]string{
	filterDeflate: "deflate", filterShuffle: "shuffle", filterFletcher: "fletcher32", 4: "szip", 5: "nbit",
	6: "scaleoffset", 305: "lzo", 307: "bzip2", filterLZF: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle",
	32013: "zfp", 32015: "zstd", 32026: "blosc2",
}

// filter is one step that chunks went through when they were written.
type filter struct {
	id     int
	values []uint32
}

// name is the filter's name, or its number.
func (f filter) name() string {
	if name := filterNames[f.id]; name != "" {
		return name
	}
	return fmt.Sprintf("number %d", f.id)
}

// maxFilters is the most steps that HDF5 allows.
const maxFilters = 32

// parsePipeline reads a filter message of version 1 or 2.
func parsePipeline(data []byte) ([]filter, error) {
	const what = "a filter message"
	f := &fields{b: data}
	version, n := f.int(1), f.int(1)
	if version != 1 && version != 2 {
		return nil, unsupported("%s of version %d", what, version)
	}
	if n > maxFilters {
		return nil, fmt.Errorf("%s has %d filters, at most %d are possible", what, n, maxFilters)
	}
	if version == 1 {
		f.take(6)
	}
	var out []filter
	for range n {
		step, name := filter{id: f.int(2)}, 0
		if version == 1 || step.id >= 256 {
			name = f.int(2)
		}
		f.take(2) // flags
		count := f.int(2)
		if version == 1 {
			name = (name + 7) / 8 * 8
		}
		f.take(name)
		for v := (fields{b: f.take(4 * count)}); len(v.b) > 0; {
			step.values = append(step.values, uint32(v.uint(4)))
		}
		if version == 1 && count%2 == 1 {
			f.take(4)
		}
		out = append(out, step)
	}
	return out, f.err(what)
}

// readable returns an error that names the filters that are not read.
func readable(steps []filter) error {
	var unknown []string
	for _, step := range steps {
		switch step.id {
		case filterDeflate, filterShuffle, filterFletcher, filterLZF:
		default:
			unknown = append(unknown, step.name())
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	return &refusal{fmt.Sprintf("the filter %s is not read", strings.Join(unknown, ", ")),
		"write the array again with compression gzip: h5repack -f GZIP=4 OLD NEW"}
}
