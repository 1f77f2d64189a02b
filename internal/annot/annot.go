// Package annot reads FreeSurfer's annotation files (.annot): a colour for each vertex of a
// hemisphere, and a table of the names of colours.
//
// The format is that of FreeSurfer's MRISreadAnnotation and CTABreadFromBinary
// (utils/colortab.cpp), both the old table and version 2. All numbers are big-endian. A vertex
// whose colour is in no row is refused, unless the colour is 0, which FreeSurfer writes for "no
// label". So is a vertex whose colour has two names.
package annot

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read annot"

// None is the label of a vertex without one.
const None = -1

// Annotation is the content of an .annot file.
type Annotation struct {
	Labels []int32 // for each vertex a row of Table, or None
	Table  []Entry
}

// Entry is a row of the table.
type Entry struct {
	Name    string
	R, G, B uint8
}

// Read reads the file at path.
func Read(path string) (*Annotation, error) {
	data, err := raw.ReadFile(reading, path)
	if err != nil {
		return nil, err
	}
	return decode(data, path)
}

// decode reads the bytes of a file, which errors call name.
func decode(data []byte, name string) (*Annotation, error) {
	a, err := parse(&scanner{data: data})
	if err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	return a, nil
}

func parse(s *scanner) (*Annotation, error) {
	n := s.int()
	if s.err != nil || n <= 0 || n > (len(s.data)-s.pos)/8 {
		return nil, fmt.Errorf("%d vertices are declared in a file of %d bytes", n, len(s.data))
	}
	colours := make([]int32, n)
	seen := make([]bool, n)
	for range n {
		v, colour := s.int(), s.int()
		if v < 0 || v >= n || seen[v] {
			return nil, fmt.Errorf("vertex %d is not among the %d or occurs twice", v, n)
		}
		seen[v], colours[v] = true, int32(colour)
	}
	if tag := s.int(); s.err != nil || tag != 1 {
		return nil, errors.New("there is no colour table, so the labels have no names")
	}
	table, err := s.table()
	if err != nil {
		return nil, err
	}
	return &Annotation{Labels: colours, Table: table}, look(colours, table)
}

// look replaces each vertex's colour by its row of the table.
func look(colours []int32, table []Entry) error {
	rows := make(map[int32]int32, len(table))
	twice := map[int32]int32{}
	for i, e := range table {
		if e.Name == "" {
			continue // FreeSurfer leaves rows empty whose number is not used
		}
		key := int32(e.R) | int32(e.G)<<8 | int32(e.B)<<16
		if first, known := rows[key]; known {
			if table[first].Name != e.Name {
				twice[key] = int32(i)
			}
			continue
		}
		rows[key] = int32(i)
	}
	for v, colour := range colours {
		row, known := rows[colour]
		other, ambiguous := twice[colour]
		switch {
		case ambiguous:
			return fmt.Errorf("vertex %d has a colour that is both %q and %q", v, quote.Short(table[row].Name),
				quote.Short(table[other].Name))
		case known:
			colours[v] = row
		case colour == 0 || colour == -1:
			colours[v] = None
		default:
			return fmt.Errorf("vertex %d has the colour %#x, which no row of the table has", v, uint32(colour))
		}
	}
	return nil
}

// scanner reads big-endian numbers and texts. err is set when the data end too early.
type scanner struct {
	data []byte
	pos  int
	err  error
}

var errShort = errors.New("the file ends in the middle of its colour table")

func (s *scanner) int() int {
	if s.err != nil || len(s.data)-s.pos < 4 {
		s.err = errShort
		return 0
	}
	s.pos += 4
	return int(int32(binary.BigEndian.Uint32(s.data[s.pos-4:])))
}

// text reads a text that follows its length, which includes the NUL at its end.
func (s *scanner) text() string {
	n := s.int()
	if s.err != nil || n < 0 || n > len(s.data)-s.pos {
		s.err = errShort
		return ""
	}
	s.pos += n
	text, _, _ := strings.Cut(string(s.data[s.pos-n:s.pos]), "\x00")
	return text
}

// smallest is the least size of a row of the table in bytes: four numbers and the length of a text.
const smallest = 4 * 5

func (s *scanner) table() ([]Entry, error) {
	n := s.int()
	numbered := n < 0 // version 2 numbers its rows
	if numbered {
		if n != -2 {
			return nil, fmt.Errorf("the colour table has version %d, want 2", -n)
		}
		n = s.int()
	}
	s.text() // the file of the table
	rows := n
	if numbered {
		rows = s.int()
	}
	most := (len(s.data) - s.pos) / smallest
	if s.err != nil || n <= 0 || rows < 0 || rows > most || rows > n || n > most+1024 {
		return nil, fmt.Errorf("the colour table declares %d rows and holds %d, in %d bytes", n, rows,
			len(s.data)-s.pos)
	}
	table := make([]Entry, n)
	filled := make([]bool, n)
	for i := range rows {
		if numbered {
			if i = s.int(); i < 0 || i >= n || filled[i] {
				return nil, fmt.Errorf("row %d of the colour table is not among the %d or occurs twice", i, n)
			}
		}
		filled[i] = true
		e := Entry{Name: s.text()}
		var colour [3]int
		for k := range colour {
			if colour[k] = s.int(); colour[k] < 0 || colour[k] > 255 {
				return nil, fmt.Errorf("the colour of %q has a part of %d, want 0 to 255", quote.Short(e.Name),
					colour[k])
			}
		}
		s.int() // transparency
		e.R, e.G, e.B = uint8(colour[0]), uint8(colour[1]), uint8(colour[2])
		table[i] = e
	}
	return table, s.err
}
