package stats

import (
	"fmt"
	"slices"
	"strings"
)

// Mask is a set of voxels that remembers what chose it. A score over voxels that were chosen because the test story
// moved them reliably is a score over voxels whose noise was kind: it says more about the choice than a mask from an
// atlas, a localizer or other stories does, and has to be labelled.
type Mask struct {
	Columns []int    // ascending
	Rule    string   // how voxels were chosen: "CC_max > 0.4", "atlas"
	Stories []string // whose responses chose them; none for an atlas or a localizer
}

// Mask takes the voxels whose CCMax exceeds least; stories are those that the repeats belong to. Usual are .4 to tune
// on and .05 to .25 for pictures.
func (c NoiseCeiling) Mask(least float64, stories ...string) Mask {
	m := Mask{Columns: []int{}, Rule: fmt.Sprintf("CC_max > %g", least), Stories: stories}
	for v, defined := range c.Defined {
		if defined && c.CCMax[v] > least {
			m.Columns = append(m.Columns, v)
		}
	}
	return m
}

// Tested lists those of the test stories that chose voxels of the mask: none if scores on the test are independent of
// the choice. Any rows of a story count as that story, "alice[0:100]" as "alice".
func (m Mask) Tested(test ...string) (shared []string) {
	for _, story := range test {
		if slices.ContainsFunc(m.Stories, func(s string) bool { return whole(s) == whole(story) }) {
			shared = append(shared, story)
		}
	}
	return shared
}

// Label says in words whether scores of these test stories are independent of the choice of voxels.
func (m Mask) Label(test ...string) string {
	if shared := m.Tested(test...); len(shared) > 0 {
		return fmt.Sprintf("not independent: %s chose these voxels (%s) and is scored on them", strings.Join(shared, ", "), m.Rule)
	}
	return fmt.Sprintf("independent of the test (%s)", m.Rule)
}

// whole is the name of a story without rows.
func whole(story string) string {
	name, _, _ := strings.Cut(story, "[")
	return name
}
