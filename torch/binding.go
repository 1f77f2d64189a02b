package torch

import (
	"fmt"
	"sync"

	"github.com/brainwavlm/bwlm/fault"
)

// Available returns nil if libtorch can be used. A program built with -tags libtorch_dlopen, such as the command, loads
// libtorch when it starts; one that is linked with libtorch does not start without it. The error is a fault of kind
// Unavailable that names the files that were tried, or the version that was found where another is needed. Until
// libtorch can be used, closures return the same error.
func Available() error { return binding() }

// binding loads libtorch once.
var binding = sync.OnceValue(func() error {
	if err := openBinding(); err != nil {
		return err
	}
	return sameVersion(Version(), loadedVersion(), Library())
})

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

// sameVersion refuses a libtorch other than the one that the kernels were compiled for: its classes may have another
// layout, of which the loader sees nothing.
func sameVersion(built, loaded, path string) error {
	if built == loaded {
		return nil
	}
	return fault.New(fault.Unavailable, "load libtorch", path, "libtorch %s, this program was built for %s", loaded,
		built).WithHint("set LIBTORCH to libtorch %s, or build the program for this one: LIBTORCH=... make build",
		built)
}

// versionOf returns a version whose major, minor and patch are in the three highest bytes.
func versionOf(packed uint64) string {
	return fmt.Sprintf("%d.%d.%d", packed>>56, packed>>48&0xff, packed>>40&0xff)
}
