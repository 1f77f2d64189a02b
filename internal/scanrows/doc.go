// Package scanrows makes the rows of responses of preprocessed scans: the voxels of a mask, without drift and
// confounds, cut into stories.
//
// [Find] tells what the columns of a subject are: the voxels that the brain masks of all scans have in common, those
// that vary in all scans if there are no masks, or the vertices of surfaces. [Open] opens a scan, and [Scan.Each] goes
// through the rows of a part of it. A scan is cleaned whole, before it is cut, so that the filter does not know where a
// story begins. That takes two passes over its files; the weights of a scan are kept between its stories.
//
// Memory is that of a few rows, of the weights (columns × regressors × 8 bytes, at most 256 MB) and, where vertices
// come first in a file, of a block of rows (64 MB). Rows that are censored take no part in the fit, and are put in
// between the rows next to them, since the rows of a story are evenly spaced in time. A column that is NaN in all rows
// of a scan, such as the medial wall, stays NaN; one that is NaN in some rows is refused.
package scanrows
