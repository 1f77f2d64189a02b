// Package dataset reads brain data sets: stories that were heard, and the responses of the people who heard them.
//
// [Open] reads the native layout, a dataset.yaml beside its files:
//
//	name: alice
//	tr_seconds: 2.0
//	row_time: 0            # row k was acquired at first_tr_seconds + (k + row_time)·tr_seconds; .5 if absent
//	stories:
//	  alice: {audio: stories/alice.flac, words: stories/alice.tsv, first_tr_seconds: 0}
//	  spoken: {audio: stories/spoken.flac, phones: stories/spoken.TextGrid, speaker: ada}
//	  piece: {audio: stories/piece.flac, first_tr_seconds: 1.352, same_as: {story: alice, row: 339}}
//	subjects:
//	  sub-18: {alice: sub-18/alice.txt, piece: sub-18/piece.npy}
//	derived:
//	  group: {from: all, responses: {alice: group/alice.npy}}
//	motion:
//	  sub-18: {alice: sub-18/motion.txt}
//	rois:
//	  LATL: [0]
//	  auditory: masks/auditory.npy
//	  language: {sub-18: [3, 4], group: masks/group.json}
//	surface: {left: lh.pial.gii, right: rh.pial.gii, vertices: vertices.npy}
//
// The last key is for pictures: where the voxels are, a vertex for each, counted left then right (without it, voxel k is
// vertex k). Data of a volume have mask: mask.nii.gz instead, whose voxels, z fastest, are the columns.
//
// A matrix is TRs × voxels, in a .npy file or as whitespace text; a three-dimensional .npy is repeats × TRs × voxels. A
// relative path must stay inside the folder of dataset.yaml, an absolute one may lead anywhere. [New] makes a data set
// of the same kind in memory, for simulations and tests.
//
// Motion, of as many subjects and stories as have it, is a matrix of TRs × parameters with the rows of the responses, such
// as the six of a realignment; repeats may have one each. bwlm controls sees what they alone would predict.
//
// Nothing is loaded before it is asked for, and nothing is mended in silence: a NaN is an error that names story, TR
// and voxel. [Dataset.Check] compares row counts with the audio and finds transposed, swapped, raw and constant data.
package dataset
