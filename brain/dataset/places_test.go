package dataset

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestPlaces(t *testing.T) {
	open := func(lines string) (Places, error) {
		dir := write(t, map[string]string{"dataset.yaml": good + lines, "v.txt": "7 3", "yes.txt": "false true true",
			"below.txt": "1 -1"})
		d, err := Open(dir)
		if err != nil {
			return Places{}, err
		}
		p, err := d.Places(t.Context(), "s1")
		for _, path := range []*string{&p.Left, &p.Right, &p.Mask} {
			if *path != "" {
				*path, _ = filepath.Rel(dir, *path)
			}
		}
		return p, err
	}
	for lines, want := range map[string]Places{
		"": {},
		"surface: {left: l.gii, right: r.gii, vertices: v.txt}": {Left: "l.gii", Right: "r.gii", Vertices: []int{7, 3}},
		"surface: {right: r.gii, vertices: yes.txt}":            {Right: "r.gii", Vertices: []int{1, 2}},
		"surface: {left: l.gii, vertices: [4, 0]}":              {Left: "l.gii", Vertices: []int{4, 0}},
		"surface: {left: l.gii}":                                {Left: "l.gii"},
		"mask: m.nii.gz":                                        {Mask: "m.nii.gz"},
		"mask: {file: m.nii.gz}":                                {Mask: "m.nii.gz"},
		"mask: {file: m.nii.gz, order: z}":                      {Mask: "m.nii.gz"},
		"mask: {file: m.nii.gz, order: x}":                      {Mask: "m.nii.gz", XFastest: true},
		"mask: {s1: {file: m.nii, order: x}, s2: n.nii}":        {Mask: "m.nii", XFastest: true},
		"mask: {s2: n.nii}":                                     {},
		"mask: {s2: n.nii}\nsurface: {s1: {left: l.gii}}":       {Left: "l.gii"},
	} {
		got, err := open(lines)
		require.NoError(t, err, lines)
		assert.Equal(t, want, got, lines)
	}
	for lines, why := range map[string]string{
		"surface: {left: l.gii, vertices: below.txt}":     "voxel 1 is on vertex -1",
		"surface: {vertices: [1]}":                        "no surface",
		"mask: m.nii\nsurface: {left: l.gii}":             "not both",
		"mask: {s1: m.nii}\nsurface: {s1: {left: l.gii}}": "not both",
		"mask: {file: m.nii, order: y}":                   "want z (nilearn: z runs fastest) or x (pycortex: x does)",
		"mask: {order: x}":                                "mask needs file",
		"mask: {s1: {order: x}}":                          "mask/s1 needs file",
		"mask: {s9: m.nii}":                               `there is no subject "s9"`,
		"mask: ../../etc/m.nii":                           "leads out of",
		"surface: {left: l.gii, mid: m.gii}":              `unknown key "mid"`,
	} {
		_, err := open(lines)
		faulttest.Require(t, fault.BadData, err, why)
	}
}
