// Command exports writes files of every kind that cortex writes into a folder, for check_exports.py
// to read with nilearn and nibabel; called again, it reads what these wrote.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: exports DIR")
		os.Exit(2)
	}
	run := write
	if _, err := os.Stat(filepath.Join(os.Args[1], "back")); err == nil {
		run = read
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// known is what is in the files.
type known struct {
	values [2][]float32
	atlas  *cortex.Atlas
	volume *cortex.Volume
	sheets [2]*cortex.Sheet
	column []float32
}

func content() known {
	var k known
	k.sheets[0], k.sheets[1] = cortex.Synthetic(3)
	k.atlas = &cortex.Atlas{}
	for i, s := range k.sheets {
		side := cortex.Left + cortex.Hemisphere(i)
		k.atlas.Regions = append(k.atlas.Regions, cortex.Region{Name: "auditory", FullName: side.String() + "_auditory",
			Hemisphere: side})
		patch := s.Patch([3]float64{1, .1, -.2}, 40)
		for v, p := range s.Surface.Points {
			k.values[i] = append(k.values[i], p[1]/100)
			label := int32(-1)
			if patch[v] {
				label = int32(i)
			}
			k.atlas.Labels = append(k.atlas.Labels, label)
		}
		k.values[i][5] = float32(math.NaN())
	}
	k.atlas.Left, k.atlas.Right = len(k.values[0]), len(k.values[1])
	k.volume = &cortex.Volume{Dim: [3]int{5, 6, 7}, Affine: [3][4]float64{{-3, 0, 0, 9}, {0, 3, .5, -20},
		{0, -.5, 3, 4}}}
	for x := range 5 { // nilearn's order: z runs fastest
		for y := range 6 {
			for z := range 7 {
				if (x*y+z)%3 != 0 {
					k.volume.Voxels = append(k.volume.Voxels, x+5*(y+6*z))
					k.column = append(k.column, float32(x)-float32(y)/7+float32(z)/50)
				}
			}
		}
	}
	return k
}

func write(dir string) error {
	k := content()
	want := map[string]any{"columns": plain(k.column)}
	d := cortex.Derivative{Subject: "01", Task: "story", Stat: "r", Desc: "tuned"}
	if err := os.MkdirAll(filepath.Join(dir, d.Folder()), 0o777); err != nil {
		return err
	}
	file := func(name string, write func(io.Writer) (int64, error)) error {
		return atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error { _, err := write(w); return err })
	}
	for i, s := range k.sheets {
		side := cortex.Left + cortex.Hemisphere(i)
		d.Hemisphere, d.Space, d.Ext = side, "synthetic", ".func.gii"
		name, err := d.Name()
		if err != nil {
			return err
		}
		var points []float32
		for _, p := range s.Surface.Points {
			points = append(points, p[:]...)
		}
		var faces []int32
		for _, f := range s.Surface.Faces {
			faces = append(faces, f[:]...)
		}
		labels := make([]int, len(k.values[i]))
		for v := range labels {
			if k.atlas.Labels[i*k.atlas.Left+v] >= 0 {
				labels[v] = 1
			}
		}
		h := side.String()
		want["points "+h], want["faces "+h], want["values "+h], want["labels "+h] = plain(points), faces,
			plain(k.values[i]), labels
		want["map "+h] = filepath.Join(d.Folder(), name)
		for name, write := range map[string]func(io.Writer) (int64, error){
			"hemi-" + h + ".surf.gii":       s.Surface.GIFTI(side).WriteTo,
			"hemi-" + h + ".label.gii":      k.atlas.LabelsGIFTI(side).WriteTo,
			filepath.Join(d.Folder(), name): cortex.MapGIFTI(side, "r", k.values[i]).WriteTo,
		} {
			if err := file(name, write); err != nil {
				return err
			}
		}
	}
	ones := make([]float32, len(k.column))
	for i := range ones {
		ones[i] = 1
	}
	d.Hemisphere, d.Space, d.Ext = cortex.Both, "MNI152", ".nii.gz"
	name, err := d.Name()
	if err != nil {
		return err
	}
	want["volume"] = filepath.Join(d.Folder(), name)
	for name, values := range map[string][]float32{"mask.nii.gz": ones, want["volume"].(string): k.column} {
		im, err := k.volume.Image(values)
		if err != nil {
			return err
		}
		if err := atomicfile.Write(filepath.Join(dir, name), im.WriteGzip); err != nil {
			return err
		}
	}
	if err := atomicfile.Write(filepath.Join(dir, "dataset_description.json"),
		cortex.NewDescription("check", "v0").Write); err != nil {
		return err
	}
	return atomicfile.Write(filepath.Join(dir, "want.json"),
		func(w io.Writer) error { return json.NewEncoder(w).Encode(want) })
}

// plain makes NaN null, since JSON has no NaN.
func plain(values []float32) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if v == v {
			out[i] = v
		}
	}
	return out
}

// read reads what nilearn and nibabel wrote.
func read(dir string) error {
	k := content()
	at := func(name string) string { return filepath.Join(dir, "back", name) }
	for i, h := range []string{"L", "R"} {
		s, err := cortex.ReadSurface(at("mesh_hemi-" + h + ".gii"))
		if err != nil {
			return err
		}
		for v, p := range s.Points {
			if p != k.sheets[i].Surface.Points[v] {
				return fmt.Errorf("point %d of %s differs: %v", v, h, p)
			}
		}
		values, err := cortex.ReadMap(at("map_hemi-" + h + ".gii"))
		if err != nil {
			return err
		}
		if err := equal(values, k.values[i]); err != nil {
			return err
		}
	}
	mask, err := cortex.ReadMask(filepath.Join(dir, "mask.nii.gz"), cortex.ZFastest)
	if err != nil {
		return err
	}
	got, err := mask.Values(at("volume.nii.gz"))
	if err != nil {
		return err
	}
	want := make([]float32, len(k.column))
	for i := range want {
		want[i] = float32(i) / 7
	}
	if err := equal(got, want); err != nil {
		return err
	}
	fmt.Println("bwlm reads what nilearn and nibabel write")
	return nil
}

func equal(got, want []float32) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d values, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] && (got[i] == got[i] || want[i] == want[i]) {
			return fmt.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
	return nil
}
