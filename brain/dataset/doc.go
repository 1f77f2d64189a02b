// Package dataset reads brain data sets: stories, and the responses of subjects who listened to
// them.
//
// [Open] reads the native layout, a folder with a dataset.yaml:
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
// The last key is for pictures: the vertex of each voxel, counted through the left hemisphere and
// then the right (without it, voxel k is vertex k). Data of a volume have mask: mask.nii.gz
// instead, whose voxels, z fastest, are the columns; {file: mask.nii.gz, order: x} is the order of pycortex.
// Either may be a mapping of subjects to their own. docs/dataset-format.md has every key.
//
// A matrix is TRs × voxels, in a .npy file or as whitespace-separated text; a three-dimensional
// .npy is repeats × TRs × voxels. A relative path must stay inside the folder of dataset.yaml, an
// absolute path may lead anywhere. [New] makes a data set of the same kind in memory, for
// simulations and tests.
//
// Rows are compared with the audio by headers before anything is computed. Scanning
// often begins before a story, which first_tr_seconds below 0 says, and goes on after it: up to 3 % of the
// rows or 20 s, missing or left over, are a note, and more is an error. Where it is right, rows says where
// the rows begin and end, in seconds of the audio, for a story or for one response:
//
//	stories:
//	  alice: {audio: stories/alice.flac, rows: {first: -10, last: 760}}  # scanned 10 s before to 36 s after 724 s
//	subjects:
//	  sub-18: {alice: sub-18/alice.txt}
//	  sub-19: {alice: {file: sub-19/alice.txt, rows: {last: 500}}}       # the scan was ended early
//
// The first row begins at first and the last row ends at last. One of rows/first and first_tr_seconds is
// enough; if both are there they are equal, and equal for all subjects of a story. last - first is the number
// of rows times tr_seconds, give or take one row.
//
// Motion is a matrix of TRs × parameters with the rows of the responses, such as the six parameters
// of a realignment, or a .tsv whose first line names its columns, as fMRIPrep's confounds: of it trans_x to rot_z are
// read, or those of {file: confounds.tsv, columns: [trans_x, …]}. Any subject and story may have it, and each
// repeat may have its own. Control analyses use it as a regressor.
//
// Responses need not fit in memory. [Dataset.OpenResponses] reads the header of a file, and [Responses.ReadRows] the
// values of some rows.
//
// No value is repaired or filled in: a NaN is an error that names story, TR and voxel. Columns that hold no values, as
// on the medial wall of a shared surface, stay in their places and are named:
//
//	empty: {sub-18: empty/sub-18.json, sub-19: [0, 4, 5]}
//
// They take no part in losses, fits, scores and means, and have no value in maps.
package dataset
