//go:build libtorch_dlopen

package dist

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "loader.h"
*/
import "C"

import (
	"unsafe"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// openBinding finds the functions of dist.h in the library that package torch has loaded.
func openBinding() error {
	path := C.CString(torch.BindingFile())
	defer C.free(unsafe.Pointer(path))
	if msg := C.dist_load(path); msg != nil {
		defer C.free(unsafe.Pointer(msg))
		return fault.New(fault.Unavailable, joining, torch.BindingFile(), "%s", C.GoString(msg)).
			WithHint("build it anew with scripts/build_binding.sh")
	}
	return nil
}
