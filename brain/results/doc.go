// Package results describes what a run leaves on disk for other programs: the types of its files with
// their JSON schema, and their readers.
//
// Each command of the program that prints JSON prints one of these types, and each file NAME.json of
// a run directory holds one. A field that a run does not have is absent or null, never 0. Schema is
// the version of a type's layout; it changes when a field is removed or changes its meaning, not when
// one is added.
//
// The package computes nothing and imports neither models nor data sets, so that a program which only
// reads results stays small.
package results
