// Package deniz finds the responses of the Gallant laboratory's narratives in reading and listening (Deniz et al.
// 2019): HDF5 files subject01_listening_fmri_data_trn.hdf with an array for each story, and …_val.hdf with repeats of
// one.
//
// # Clock
//
// Volumes are 2.0045 s apart and nothing was cut. The sound begins five volumes after row 0, so that row 0 begins at
// second −10.0225 of the recording; where a report of the stimulus program (STORY.report) is there, it says so exactly.
// Unless all rows are wanted, those that lie within the recording are taken.
//
// The release has no recordings. They are looked for in other folders, by the names of the arrays or by names that the
// caller gives for them.
package deniz
