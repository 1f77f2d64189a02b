// Package extract turns a recording into vectors of a speech model: one vector for each window of audio and each
// hidden state that is asked for, with the time at which its window ends.
//
// [OpenModel] opens a model, with an adapter if one is named; [OpenAdapted] adds weighted sums of adapters. [Features]
// cuts the samples into windows, by default of 4 s every .25 s, runs them through the model, and pools the frames of
// each. [Merge] writes a model whose weights include an adapter.
//
// It knows neither data sets nor fMRI. Rows of a design matrix are made of such vectors by package design.
//
// # Caveats
//
//   - A window sees nothing before its start, so its vector depends on its length. Extraction by chunks is many times
//     cheaper and gives slightly different vectors (docs/chunks.md).
//   - Windows of equal length are computed together in fixed units. Vectors are bit-identical from run to run on one
//     machine with an equal number of threads; between machines they agree to rounding.
//   - Samples are 16 kHz mono, as package audio reads them.
package extract
