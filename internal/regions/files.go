package regions

import (
	"os"
	"path/filepath"
	"strings"
)

// Files are what the regions of a subject are made from; "" is a file that is not there. Pairs are left and right.
type Files struct {
	Transform     string    // matrices.xfm of pycortex
	Cortical      string    // mask_cortical.nii.gz of the transform: voxels of the cortex; else they are computed
	White, Pial   [2]string // surfaces
	Flat          [2]string // the flat map
	Overlays      string    // overlays.svg
	Annotations   []Annotation
	Sphere        [2]string // sphere.reg of the subject
	AverageSphere [2]string // and of fsaverage
}

// Annotation is an atlas in two files of labels, of the subject or of fsaverage.
type Annotation struct {
	Atlas Atlas
	Files [2]string
}

// Atlas is a division of the cortex into areas.
type Atlas string

// The atlases, by the names of FreeSurfer's files.
const (
	Glasser   Atlas = "HCPMMP1"
	Destrieux Atlas = "aparc.a2009s"
)

// spelled lists how annotations of the atlases are called.
var spelled = []struct {
	atlas Atlas
	names []string
}{
	{Glasser, []string{"HCPMMP1", "HCP-MMP1", "glasser"}},
	{Destrieux, []string{"aparc.a2009s"}},
}

// Look finds the files of a subject: in its folder of a pycortex store, with the folder of one of its transforms, and
// in its folder of FreeSurfer's SUBJECTS_DIR, with that of fsaverage. Each folder may be "" or not there. A file of the
// subject is preferred to one of fsaverage.
func Look(pycortex, transform, subject, fsaverage string) Files {
	var f Files
	sides := func(folder, pattern string) [2]string {
		pair := [2]string{there(folder, "lh", pattern), there(folder, "rh", pattern)}
		if pair[0] == "" || pair[1] == "" {
			return [2]string{}
		}
		return pair
	}
	or := func(a, b [2]string) [2]string {
		if a[0] == "" {
			return b
		}
		return a
	}
	f.Transform = there(transform, "", "matrices.xfm")
	f.Cortical = there(transform, "", "mask_cortical.nii.gz")
	f.Overlays = there(pycortex, "", "overlays.svg")
	f.Flat = sides(pycortex, "surfaces/flat_*.gii")
	f.White = or(sides(pycortex, "surfaces/wm_*.gii"), sides(subject, "surf/*.white"))
	f.Pial = or(sides(pycortex, "surfaces/pia_*.gii"), sides(subject, "surf/*.pial"))
	f.Sphere, f.AverageSphere = sides(subject, "surf/*.sphere.reg"), sides(fsaverage, "surf/*.sphere.reg")
	for _, a := range spelled {
		for _, folder := range []string{subject, fsaverage} {
			if folder == fsaverage && (f.Sphere[0] == "" || f.AverageSphere[0] == "") {
				continue // nothing leads from fsaverage to the subject
			}
			found := false
			for _, name := range a.names {
				if pair := sides(folder, "label/*."+name+".annot"); pair[0] != "" && !found {
					f.Annotations, found = append(f.Annotations, Annotation{a.atlas, pair}), true
				}
			}
			if found {
				break
			}
		}
	}
	return f
}

// there returns the path of a file below a folder, "" if it is not there. A * in its name is the side.
func there(folder, side, pattern string) string {
	if folder == "" {
		return ""
	}
	dir, name := filepath.Split(filepath.FromSlash(pattern))
	name = strings.Replace(name, "*", side, 1)
	path := filepath.Join(folder, dir, name)
	if _, err := os.Lstat(path); err != nil { // a link without content is there: reading says what it is
		return ""
	}
	return path
}
