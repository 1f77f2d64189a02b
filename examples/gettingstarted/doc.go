// Package gettingstarted holds the data set and the experiment of docs/getting-started.md. Its
// test, with the tag slow, runs the commands of the page in order and holds their output against
// the page:
//
//	PYTHON=python3 go test -tags slow ./examples/gettingstarted           # PYTHON has numpy
//	PYTHON=python3 go test -tags slow ./examples/gettingstarted -update   # writes the output into the page
package gettingstarted
