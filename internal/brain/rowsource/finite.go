package rowsource

import (
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
)

// NotFinite counts the values of responses that are not finite, and remembers the first.
type NotFinite struct {
	count, at int // at: the place of the first, counted through repeats, rows and columns
	value     float32
}

// Add notes the value at a place.
func (n *NotFinite) Add(at int, value float32) {
	if n.count == 0 || at < n.at {
		n.at, n.value = at, value
	}
	n.count++
}

// Err names the first value, or is nil if there is none.
func (n *NotFinite) Err(s Source, where string) error {
	if n.count == 0 {
		return nil
	}
	repeats, rows, columns := s.Shape()
	k, voxel := n.at/columns, n.at%columns
	at := fmt.Sprintf("TR %d, voxel %d", k%rows, voxel)
	if clips, ok := s.(interface{ RowName(int) string }); ok {
		at = fmt.Sprintf("%s, channel %d", clips.RowName(k%rows), voxel)
	}
	if repeats > 1 {
		at = fmt.Sprintf("repeat %d, %s", k/rows, at)
	}
	return fault.New(fault.BadData, "read responses", where, "%s is %g (%d of %d values are not finite)", at, n.value,
		n.count, repeats*rows*columns).
		WithHint("repair or leave out these values first; no value is filled in. Columns without values, such as " +
			"those of the medial wall, can be listed under empty")
}
