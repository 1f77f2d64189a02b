// Package cortex locates voxels: surfaces of the two hemispheres, atlases of named regions, masks
// and their algebra. It reads and writes files of FreeSurfer, GIFTI, CIFTI and NIfTI.
// It does not depend on libtorch.
//
// # Columns
//
// Numbers for each place are in one order: the vertices of the left hemisphere, then those of the
// right, as in their files. So vertex v of the right hemisphere is column Left + v. The columns of
// a volume are its voxels in the order of a mask (see [Volume]). These are the columns of response
// matrices and of region files.
//
// # Regions
//
// An [Atlas] assigns each column at most one region. [Selector] evaluates expressions such as
//
//	L:(A1|LBelt|MBelt|PBelt) & ceiling>=0.1
//
// on it. See [SelectHelp] for the language, and [Presets] for the names of groups of regions. A
// [Mask] is a []bool.
//
// # Caveats
//
// That two files have the same number of vertices does not prove that they are of the same mesh:
// fsaverage5 and any other icosahedral mesh of order 5 have 10,242, but not in the same places on a
// subject's own surface. A region of an average surface lies only roughly where that region is in a
// subject: the position of Heschl's gyrus varies by about a centimetre between subjects. Glasser's
// names (HCP-MMP1) are of his 2016 atlas; a projection to fsaverage5 leaves small regions a few
// dozen vertices.
package cortex
