// Package studytest makes tiny studies for tests: tones as stories, subjects whose voxels follow their loudness, and a
// model of three narrow layers.
package studytest
