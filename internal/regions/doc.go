// Package regions finds the voxels of a subject's regions: those that pycortex's overlays.svg outlines on the flat map
// (localizers, drawn by hand), and those that FreeSurfer's annotations name (Glasser's HCPMMP1, Destrieux's
// aparc.a2009s). Auditory cortex comes first: region AC is the outline of that name, else it is put together from
// Glasser's areas, else from Destrieux's ([Auditory]).
//
// The way is the same for all: a set of vertices of the subject's surfaces, then the voxels around them. Vertices go to
// voxels through matrices.xfm of pycortex, and to columns through the mask of the responses.
//
// # Voxels
//
// Two rules of pycortex's get_roi_masks are here. [Cortical], its default, takes the voxels whose nearest vertex,
// half way between white and pial surface, is in the region, and not farther than the cortex is thick there. [Nearest]
// ("cortical-conservative") takes the voxels that hold vertices, more than half of them of the region. As with
// allow_overlap, a voxel may be in several regions. Tests compare both with pycortex 1.4.0.
//
// # Atlases
//
// An annotation has one label for each vertex of the subject's own surfaces. One of fsaverage reaches them over the
// spheres of FreeSurfer's registration (sphere.reg): each vertex takes the label of the nearest one of fsaverage.
//
// # Caveats
//
// Outlines show what a localizer made respond in one subject, labels where an average subject has an area: [Overlap]
// says how well the two agree. Voxels outside of the scanned volume are not in any region. An outline that ends at a
// cut of the flat map takes in the vertices next to it that the cut removed, as in pycortex.
package regions
