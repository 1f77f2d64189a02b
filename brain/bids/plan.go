package bids

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// file is one that is to be written.
type file struct {
	name  string // below the folder of the run
	write func(io.Writer) error
}

// plan is what is to be written of a run. All that can be wrong with it is found before a file is touched.
type plan struct {
	run     *finished.Run
	opt     Options
	below   string // a folder of its own, next to other runs
	formats []string
	files   []file
}

func (p *plan) make() error {
	description := cortex.NewDescription("Encoding scores of "+p.run.Name, p.opt.Version)
	if d := p.run.Data; d != nil {
		description.Name += ", data set " + d.Name
		description.License = d.Licence
	}
	p.add(descriptionFile, description.Write)
	if err := p.chooseFormats(); err != nil {
		return err
	}
	if slices.Contains(p.formats, "nifti") || slices.Contains(p.formats, "gifti") {
		if err := p.maps(); err != nil {
			return err
		}
	}
	t := table{1, p.run.Name, p.run.Scores.Rows, lines(p.run)}
	ignore := []string{"group", "*_statmap.*"} // which no version of BIDS has names for yet
	for _, f := range []struct {
		format string
		write  func(io.Writer) error
	}{{"csv", t.csv}, {"json", func(w io.Writer) error { return jsonfile.Encode(w, t) }}} {
		if slices.Contains(p.formats, f.format) {
			ignore = append(ignore, "rois."+f.format)
			p.add("rois."+f.format, f.write)
		}
	}
	p.add(".bidsignore", func(w io.Writer) error { _, err := fmt.Fprintln(w, strings.Join(ignore, "\n")); return err })
	p.add("README", func(w io.Writer) error {
		_, err := fmt.Fprintf(w, readme, description.Name, p.run.Scores.Rows)
		return err
	})
	return nil
}

const readme = `%s, exported by bwlm.

Scores of an encoding model: how well responses are predicted on %d test rows (TRs), unused in training. A map has one
number for each voxel, NaN where there is none; the .json beside it and descriptions.tsv say what it is. rois.csv and
rois.json have the means of regions, with 95 %% intervals, p and q of the difference.
`

func (p *plan) add(name string, write func(io.Writer) error) {
	p.files = append(p.files, file{name, write})
}

// chooseFormats returns the requested formats, which must be possible, or all possible ones.
func (p *plan) chooseFormats() error {
	why, do := p.noMaps()
	for _, f := range p.opt.Formats {
		if why[f] != "" {
			return fault.New(fault.Missing, exporting, p.run.Dir, "no %s: %s", f, why[f]).WithHint("%s", do)
		}
	}
	p.formats = p.opt.Formats
	for _, f := range formats {
		if p.opt.Formats == nil && why[f] == "" {
			p.formats = append(p.formats, f)
		}
	}
	if p.opt.Formats == nil && why["nifti"] != "" && why["gifti"] != "" {
		p.opt.Note(fmt.Sprintf("%s: no maps: %s; %s", p.run.Name, why["nifti"], do))
	}
	return nil
}

// noMaps returns the reason why a run has no maps of a format, and the remedy.
func (p *plan) noMaps() (why map[string]string, do string) {
	var places *finished.Places // of the first subject who has any: a data set has surfaces or masks, not both
	for _, s := range p.run.Subjects {
		places = cmp.Or(places, s.Places)
	}
	switch {
	case len(p.run.Subjects) == 0:
		return both("there are no scores of voxels"), fmt.Sprintf("evaluate %s", p.run.Dir)
	case places == nil:
		reason := "nobody says where the voxels are"
		for _, absent := range p.run.Absent {
			if text, is := strings.CutPrefix(absent, finished.NoMaps); is {
				reason = text
			}
		}
		return both(reason),
			"let dataset.yaml name surfaces (surface: {left, right}) or a mask (mask: FILE), " +
				"or write only csv and json"
	case places.Volume == nil:
		return map[string]string{"nifti": "the voxels are on surfaces"}, "leave it out of Formats"
	}
	return map[string]string{"gifti": "the voxels are in a volume"}, "leave it out of Formats"
}

func both(why string) map[string]string { return map[string]string{"nifti": why, "gifti": why} }

// maps plans the maps of each subject whose voxels have places, and of their mean.
func (p *plan) maps() error {
	labels := map[string]string{}
	n := 0
	for i := range p.run.Subjects {
		subject := &p.run.Subjects[i]
		if !subject.Places.Fits(subject.Voxels) {
			p.opt.Note(fmt.Sprintf("%s: no maps of %s: it has %d voxels, the data set's places are for others",
				p.run.Name, subject.Name,
				subject.Voxels))
			continue
		}
		n++
		d := cortex.Derivative{Subject: subject.Name, Task: p.task(), Space: p.opt.Space}
		if other, taken := labels[d.Folder()]; taken {
			return fault.New(fault.BadData, exporting, p.run.Dir, "%s and %s have the same name in BIDS, %s", other,
				subject.Name,
				filepath.Dir(d.Folder())).WithHint("name subjects so that letters and digits tell them apart")
		}
		labels[d.Folder()] = subject.Name
		more, err := significance(p.run, subject)
		if err != nil {
			return err
		}
		for _, m := range append(mapsOf(subject), more...) {
			if err := p.voxelMap(d, subject.Places, m); err != nil {
				return err
			}
		}
	}
	if n == 0 {
		return fault.New(fault.BadData, exporting, p.run.Dir,
			"nobody's voxels are as many as the places that the data set names").
			WithHint("check surface or mask in dataset.yaml, or write only csv and json")
	}
	joined := together(p.run, p.opt.Space)
	if m := meanOf(joined); m != nil {
		for _, x := range mapsOf(m) {
			x.about += fmt.Sprintf(", mean over %d subjects", n)
			if joined != p.run {
				x.about += ", of each voxel over those that have it"
			}
			if err := p.voxelMap(cortex.Derivative{Task: p.task(), Space: p.opt.Space}, joined.Places, x); err != nil {
				return err
			}
		}
	}
	p.add("descriptions.tsv", func(w io.Writer) error {
		text := "desc_id\tdescription\n"
		for _, d := range described {
			text += "desc-" + d.desc + "\t" + d.about + "\n"
		}
		_, err := io.WriteString(w, text)
		return err
	})
	return nil
}

// task names the task: the test story if there is one alone.
func (p *plan) task() string {
	if p.opt.Task != "" {
		return p.opt.Task
	}
	var stories []string
	for _, subject := range p.run.Subjects {
		for _, r := range subject.Rows {
			if !slices.Contains(stories, r.Story) {
				stories = append(stories, r.Story)
			}
		}
	}
	if len(stories) == 1 {
		return stories[0]
	}
	return "stories"
}

// sidecar describes a map.
type sidecar struct {
	Description string   `json:"Description"`
	Units       string   `json:"Units"`
	Run         string   `json:"Run"`
	TestRows    int      `json:"TestRows"`
	Stories     []string `json:"Stories,omitempty"`
}

// voxelMap plans one map, a volume or a file for each hemisphere, and its sidecar.
func (p *plan) voxelMap(d cortex.Derivative, in *finished.Places, m voxelMap) error {
	d.Stat, d.Desc = m.stat, m.desc
	values := in.Spread(m.values)
	put := func(h cortex.Hemisphere, ext string, write func(io.Writer) error) error {
		d.Hemisphere, d.Ext = h, ext
		name, err := d.Name()
		if err == nil {
			p.add(filepath.Join(d.Folder(), name), write)
		}
		return err
	}
	about := sidecar{Description: m.about, Units: m.unit, Run: p.run.Name, TestRows: p.run.Scores.Rows}
	for _, subject := range p.run.Subjects {
		for _, r := range subject.Rows {
			if !slices.Contains(about.Stories, r.Story) {
				about.Stories = append(about.Stories, r.Story)
			}
		}
	}
	if err := put(cortex.Both, ".json", func(w io.Writer) error { return jsonfile.Encode(w, about) }); err != nil {
		return err
	}
	if v := in.Volume; v != nil {
		im, err := v.Image(values)
		if err != nil {
			return err
		}
		im.Description = m.stat + " " + m.desc
		return put(cortex.Both, ".nii.gz", im.WriteGzip)
	}
	left := 0
	if s := in.Left; s != nil {
		left = len(s.Points)
	}
	for i, part := range [][]float32{values[:left], values[left:]} {
		if len(part) == 0 {
			continue
		}
		h := cortex.Left + cortex.Hemisphere(i)
		im := cortex.MapGIFTI(h, m.stat+" "+m.desc, part)
		if err := put(h, ".func.gii", func(w io.Writer) error { _, err := im.WriteTo(w); return err }); err != nil {
			return err
		}
	}
	return nil
}
