// Package bids finds a data set in a folder in BIDS with preprocessed time series: volumes in a brain mask, surfaces of
// two hemispheres, or CIFTI files. Package bidsdata reads what the files are and when their rows were acquired; this
// package makes stories, subjects and responses of it, with recordings and words.
//
//   - Runs of a subject to the same story with the same clock are repeats.
//   - A story has the clock of most of its subjects. A subject with another clock has one of its own.
//   - Runs whose TR is not that of most are left out: a data set has one TR.
//   - Recordings and words are looked for below the folder by the names that events give them.
//   - Runs of Le Petit Prince (ds003643) have no table of events, and are sections by their rank.
package bids
