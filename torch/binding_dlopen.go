//go:build libtorch_dlopen

package torch

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "loader.h"
*/
import "C"

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/brainwavlm/bwlm/fault"
)

const (
	bindingFile  = "libbwlm_torch.so" // made by scripts/build_binding.sh
	libtorchFile = "libtorch_cpu.so"
)

// openBinding loads libtorch and the binding from the first places where both are.
func openBinding() error {
	const op = "load libtorch"
	bindings, libtorchs := bindingPlaces()
	var tried []string
	for _, b := range bindings {
		if !exists(b) {
			tried = append(tried, b+": no such file")
			continue
		}
		for _, lib := range libtorchs {
			if lib != "" && !exists(lib) {
				tried = append(tried, lib+": no such file")
				continue
			}
			err := open(lib, b)
			if err == nil {
				bindingPath = b
				return nil
			}
			tried = append(tried, err.Error())
		}
	}
	return fault.New(fault.Unavailable, op, "", "%s", strings.Join(tried, "; ")).
		WithHint("set LIBTORCH to an unpacked libtorch, or to the torch folder of a Python installation, " +
			"of the version that this program was built for")
}

// bindingPlaces returns where the binding and libtorch are looked for, best first. LIBTORCH, if it is set, is the only
// place for libtorch. An empty path stands for the search of the dynamic loader.
func bindingPlaces() (bindings, libtorchs []string) {
	dir := "."
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		dir = filepath.Dir(self)
	}
	bindings = []string{filepath.Join(dir, bindingFile), filepath.Join(dir, "..", "lib", bindingFile)}
	if at := os.Getenv("LIBTORCH"); at != "" {
		return bindings, []string{filepath.Join(at, "lib", libtorchFile)}
	}
	return bindings, []string{
		filepath.Join(dir, "..", "third_party", "libtorch", "lib", libtorchFile),
		filepath.Join(dir, "..", "lib", libtorchFile),
		"",
	}
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func open(libtorch, binding string) error {
	lib, path := C.CString(libtorch), C.CString(binding)
	defer C.free(unsafe.Pointer(lib))
	defer C.free(unsafe.Pointer(path))
	if msg := C.bt_open(lib, path); msg != nil {
		defer C.free(unsafe.Pointer(msg))
		return errors.New(C.GoString(msg))
	}
	return nil
}
