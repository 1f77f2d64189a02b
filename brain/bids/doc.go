// Package bids writes what a run found into files that other programs read: maps of the voxels as
// NIfTI and GIFTI under names of BIDS derivatives, and tables of the regions as CSV and JSON.
//
// A map is one number for each voxel, the same number that eval/test of the run holds, in its
// place: on the vertices of the data set's surfaces or in the voxels of its mask, NaN elsewhere.
// Places are those that dataset.yaml names (surface or mask), so a run whose data set names none
// has tables only.
//
// # Caveats
//
// The mean over subjects is a mean of places: it is written only where several subjects's voxels
// are the same places, or where their masks are in one grid and the name of the space says that
// subjects share it; a voxel's mean is then over those that have it. A voxel's per cent of its
// ceiling is an estimate that one low ceiling makes large; means of regions are those of r over
// those of ceilings. The p and q of the tables are of regions. A voxel has its own where a file of
// eval/test says so (see [Write]).
package bids
