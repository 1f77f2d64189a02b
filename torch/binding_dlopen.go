//go:build libtorch_dlopen

package torch

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "loader.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"github.com/brainwavlm/bwlm/fault"
)

const libtorchFile = "libtorch_cpu.so"

// openBinding loads libtorch from the first place where it is, and then a binding that fits. It loads one libtorch at
// most, since two in one process would share symbols.
func openBinding() error {
	dir := programFolder()
	bindings := findBindings(dir)
	if len(bindings) == 0 {
		return notLoaded(filepath.Join(dir, bindingName+".so")+": no such file", "")
	}
	var tried []string
	for _, lib := range libtorchPlaces(dir) {
		minor := ""
		if lib != "" {
			if !exists(lib) {
				tried = append(tried, lib+": no such file")
				continue
			}
			version, err := openLibtorch(lib)
			if err != nil {
				tried = append(tried, err.Error())
				continue
			}
			minor = minorOf(version)
		}
		fit := fitting(bindings, minor)
		for _, b := range fit {
			err := openLibrary(b)
			if err == nil {
				bindingPath = b
				return nil
			}
			tried = append(tried, err.Error())
		}
		if lib == "" {
			continue
		}
		if len(fit) == 0 {
			found := cmp.Or(minor, "of an unknown version")
			return notLoaded(fmt.Sprintf("%s: libtorch %s", lib, found), strings.Join(minors(bindings), " or "))
		}
		break
	}
	return notLoaded(strings.Join(tried, "; "), strings.Join(minors(bindings), " or "))
}

// notLoaded is the fault of a program without libtorch; versions are those that its bindings are for, "" if the one
// that it was built for is not in a name.
func notLoaded(reason, versions string) error {
	if versions == "" {
		versions = "the version that this program was built for"
	} else {
		versions = "version " + versions
	}
	return fault.New(fault.Unavailable, "load libtorch", "", "%s", reason).
		WithHint("set LIBTORCH to an unpacked libtorch, or to the torch folder of a Python installation, of %s",
			versions)
}

// programFolder returns the folder of the program, "." if that is unknown.
func programFolder() string {
	self, err := os.Executable()
	if err != nil {
		return "."
	}
	if real, err := filepath.EvalSymlinks(self); err == nil {
		self = real
	}
	return filepath.Dir(self)
}

// libtorchPlaces returns where libtorch is looked for, best first. LIBTORCH, if it is set, is the only place. An empty
// path stands for the search of the dynamic loader.
func libtorchPlaces(dir string) []string {
	if at := os.Getenv("LIBTORCH"); at != "" {
		return []string{filepath.Join(at, "lib", libtorchFile)}
	}
	return []string{
		filepath.Join(dir, "..", "third_party", "libtorch", "lib", libtorchFile),
		filepath.Join(dir, "..", "lib", libtorchFile),
		"",
	}
}

func openLibtorch(path string) (version uint64, err error) {
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	var packed C.uint64_t
	err = failed(C.bt_open_libtorch(c, &packed))
	return uint64(packed), err
}

func openLibrary(path string) error {
	c := C.CString(path)
	defer C.free(unsafe.Pointer(c))
	return failed(C.bt_open(c))
}

// failed frees a message of the loader and returns it as an error, nil for no message.
func failed(msg *C.char) error {
	if msg == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(msg))
	return errors.New(C.GoString(msg))
}
