// Package calibration measures how far the responses of validation rows are from what a readout predicts, and keeps it
// in a file of the run, from which prediction intervals follow.
//
// # Method
//
// A readout that was trained for a correlation predicts in no unit. So a line maps the predictions of each voxel to its
// responses: least squares, with a slope of at least 0. A residual is the distance of a response from the line that is
// fitted to the other blocks of rows. The half-width of an interval is a quantile of the residuals over all blocks, as
// in split conformal prediction (Vovk, Gammerman and Shafer 2005; Lei et al., J. Am. Stat. Assoc. 113, 2018).
//
// Rows that follow each other are alike. The units that count as exchangeable are therefore contiguous blocks of at
// least ten rows and three autocorrelation times of the residuals, as in brain/stats. With K blocks, a residual of a
// block of n rows weighs 1/((K+1) n), and what is missing to 1 lies at infinity: the correction (K+1)/K for finite
// samples, after Lee, Barber and Willett, "Distribution-free inference with hierarchical data" (arXiv 2306.06342). A
// row of a new block that is exchangeable with these is covered with the probability of the interval at least. There is
// no interval of a level above K/(K+1).
//
// # Caveats
//
// Neighbouring blocks of a story are not independent, and blocks of another story are exchangeable with them only as
// far as stories are alike. The epoch was chosen on the same rows, which makes residuals slightly small. The line makes
// the guarantee approximate: it has two numbers, and a residual is never of a line that was fitted to its block.
package calibration
