package torch

import "sync"

// Available returns nil if libtorch can be used. A program that is linked with libtorch does not start without it, and
// gets nil. A program built with -tags libtorch_dlopen, such as the command, loads libtorch when it starts, and gets a
// fault of kind Unavailable that names the files that were tried. Until then closures return the same error.
func Available() error { return binding() }

// binding loads libtorch once.
var binding = sync.OnceValue(openBinding)

// bindingPath is the file that openBinding loaded.
var bindingPath string

// BindingFile returns the path of the shared library that the kernels of this package were loaded from, and "" in a
// program that contains them.
func BindingFile() string {
	if Available() != nil {
		return ""
	}
	return bindingPath
}
