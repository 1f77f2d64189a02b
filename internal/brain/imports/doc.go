// Package imports describes the files of a laboratory as a data set: it finds stories, subjects and responses in a
// folder and writes a commented dataset.yaml that names them.
//
// Nothing is copied or changed: the description has the absolute paths of the files. Each kind of source has a
// function that returns what it [Found], with what it guessed and what it left out; the checks and the file are common
// to all.
package imports
