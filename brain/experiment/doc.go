// Package experiment reads, checks and writes the experiment file: one YAML document that states which speech model is
// tuned on whose brain responses, how, and how the result is scored.
//
// The idea is one table (keys.go). Each row names a key, points to its field, explains it in a sentence and checks its
// value; reading, --set, validation, the resolved copy and the commented template all walk that table, so they cannot
// disagree. A key that is not in the table is an error that names line, column and the nearest known key: a misspelled
// learning rate must not become the default one.
//
// A value comes from four places, the later winning: the default, a switch of compat, the file,
// Set. The origin of each value is kept (Origin) and written next to it in the resolved copy, so
// that a finished run shows which values were chosen.
//
// Caveats. Only form is checked here: that a path exists, that a subject is known or that a layer
// is in the model is found out by the package that opens it. Relative paths in a file mean the
// file's directory, those given to Set the working directory; both are made absolute, so that a
// resolved copy holds wherever it is put. Anchors and aliases work and cost nothing, since a value
// is never deeper than a list of plain values.
package experiment
