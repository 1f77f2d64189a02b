// Package report makes one page of HTML of what runs left in their directories: what was done and
// found in plain words, pictures of the cortex, charts, tables of regions with intervals and
// significance, data and alignment, settings with their origin, hashes and versions, commands that
// repeat it, and references.
//
// [Read] reads the directories into a [Report], a plain struct; [Report.HTML] writes the page.
// Neither needs the speech model, and the data set only to find out where voxels are. The page
// refers to nothing outside itself, works without its script (which sorts tables), and equal
// directories give equal bytes.
//
// # What is read
//
// Of a run: config.yaml, manifest.json, metrics.jsonl, eval/summary.json and the .npy files of
// eval/test; and where they are there controls/NAME/eval/summary.json (bwlm controls),
// transfer/transfer.json (bwlm transfer), transfer/NAME/summary.json, probe.json and
// variance_partition.json (what bwlm probe and bwlm variance-partition print with --json). Of a
// demo: its runs, demo.json, and the surface that its voxels are on. What is not there is left out,
// and the page says so.
//
// # Caveats
//
// Nothing is computed anew: numbers are those of the evaluation, and a p that it has not stays
// absent. Each interval stands for itself; q corrects for the lines of its own table only. Maps
// show each voxel's r as it is, without threshold, since a threshold hides how far from it the rest
// is.
package report
