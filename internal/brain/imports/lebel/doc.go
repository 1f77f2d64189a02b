// Package lebel finds the responses of OpenNeuro's ds003020 (LeBel et al. 2023): stories by nine subjects,
// preprocessed, in HDF5.
//
// The layout is that of version 3.1.0: derivative/preprocessed_data/SUBJECT/STORY.hf5 with the array data, (rows,
// voxels) in float64, and for the repeated story individual_repeats; derivative/respdict.json with the TRs of each run;
// TextGrids; masks of pycortex; recordings in stimuli. The folder may be called derivatives, too.
//
// # Clock
//
// A run is 10 s of silence, the story, and 10 s of silence, in TRs of 2 s. Of the responses 10 rows at both ends were
// cut, so that they have respdict − 20 rows. The recording is the story alone: row 0 begins at its second 10. The
// responses are detrended and z-scored by story, and their columns are the voxels of mask_thick with x fastest.
//
// # Without content
//
// Of links of git-annex without content, rows follow from respdict.json and voxels from the size of the file, which is
// 2048 + 8 · rows · voxels bytes in all 431 files of one array.
package lebel
