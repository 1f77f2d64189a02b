// Package huthbox finds the responses that the Huth laboratory released on Box with its paper on scaling laws
// (Antonello et al. 2023): for each subject a joblib file with a dictionary of stories.
//
// Files are known by their names, wherever they lie below the folder: SUBJECT_responses.jbl, trfiles_huge.jbl with the
// times of volumes (TRFile objects, which are read and not run), rois_S03.jbl with the columns of regions of interest,
// recordings and TextGrids by the names of stories. Recordings may also be in another folder.
//
// # Clock
//
// Of n volumes the responses have n − 15 rows: 10 were cut at the beginning and 5 at the end. Row k is volume k + 10,
// so that row 0 begins at trtimes[10] − soundstarttime. Without times, row 0 is taken to begin at second 10, as in
// ds003020. Released code (brain_finetune.py) uses trtimes[10:-5] without the start of the sound; where that is another
// clock, it is told.
package huthbox
