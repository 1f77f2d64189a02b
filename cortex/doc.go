// Package cortex knows where voxels are: surfaces of the two hemispheres, atlases of named regions, masks and their
// algebra. Its pictures are drawn by cortex/render, its files read and written by cortex/annot, cifti, freesurfer, gifti and nifti.
// It depends on the standard library alone, not on libtorch.
//
// # Columns
//
// Whatever has one number for each place has them in one order: the vertices of the left hemisphere, then those of the
// right, as its files count them from 0. So vertex v of the right hemisphere is column Left + v. A volume has its voxels
// in the order of a mask (see [Volume]). These are the columns of response matrices, and what a region file lists.
//
// # Regions
//
// An [Atlas] gives each column at most one region; [Selector] evaluates expressions such as
//
//	L:(A1|LBelt|MBelt|PBelt) & ceiling>=0.1
//
// on it (see [Selector.Select] for the language, and [Presets] for the names that stand for several regions). Masks are
// plain []bool, so they combine with what else knows of columns.
//
// # Caveats
//
// That two files have the same number of vertices does not prove that they are of the same mesh: fsaverage5 and any other
// icosahedral mesh of order 5 have 10,242, but not in the same places on a subject's own surface. A region that is
// defined on an average surface lies only roughly where that region is in a person: the spread of Heschl's gyrus over
// people is about a centimetre. Glasser's names (HCP-MMP1) are of his 2016 atlas; a projection to fsaverage5 leaves small
// regions a few dozen vertices.
package cortex
