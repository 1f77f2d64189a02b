package torch

/*
#cgo !libtorch_dlopen,!libtorch_pkgconfig CXXFLAGS: -I${SRCDIR}/../third_party/libtorch/include -I${SRCDIR}/../third_party/libtorch/include/torch/csrc/api/include
#cgo !libtorch_dlopen,!libtorch_pkgconfig LDFLAGS: -L${SRCDIR}/../third_party/libtorch/lib -Wl,-rpath,${SRCDIR}/../third_party/libtorch/lib -Wl,-rpath-link,${SRCDIR}/../third_party/nvidia/cu13/lib
#cgo !libtorch_dlopen,libtorch_pkgconfig pkg-config: libtorch
#cgo CXXFLAGS: -std=c++20 -O2 -fopenmp -g0 -Wall -Wno-deprecated-declarations
#cgo !libtorch_dlopen LDFLAGS: -ltorch_cpu -lc10 -lgomp -ldl
#cgo noescape bt_call
#cgo nocallback bt_call
#cgo noescape bt_free
#cgo nocallback bt_free
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"errors"
	"unsafe"
)

// handle is an at::Tensor*.
type handle = C.bt_tensor

// op is a kernel, looked up by name when the package is initialised.
type op struct {
	name string
	fn   C.bt_op
}

func kernel(name string) op {
	if binding() != nil {
		return op{name: name}
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	fn := C.bt_lookup(c)
	if fn == 0 {
		panic("torch: the kernel table has no " + name)
	}
	return op{name, fn}
}

// args are the arguments of one call, by position.
type args struct {
	flags  uint32
	worker int32
	t      []handle
	i      []int64
	f      []float64
	buf    []byte
	line   *line // of the profile, nil without one
}

// call is the only place where Go calls a kernel. It fills out, or returns an error without shapes.
func (o op) call(a args, out []handle) *Error {
	if o.fn == 0 {
		return &Error{Op: o.name, Msg: binding().Error()}
	}
	var msg *C.char
	code := C.bt_call(o.fn, C.uint32_t(a.flags), C.int32_t(a.worker),
		unsafe.SliceData(a.t), C.int(len(a.t)),
		(*C.int64_t)(unsafe.SliceData(a.i)), C.int(len(a.i)),
		(*C.double)(unsafe.SliceData(a.f)), C.int(len(a.f)),
		unsafe.Pointer(unsafe.SliceData(a.buf)), C.size_t(len(a.buf)),
		unsafe.SliceData(out), C.int(len(out)), &msg)
	if code == C.BT_OK {
		return nil
	}
	defer C.free(unsafe.Pointer(msg))
	return &Error{Op: o.name, Msg: C.GoString(msg), OutOfMemory: code == C.BT_OUT_OF_MEMORY}
}

func free(hs []handle) {
	if len(hs) > 0 {
		C.bt_free(unsafe.SliceData(hs), C.int(len(hs)))
	}
}

// Live returns the number of tensors of all scopes and arenas, as counted in C++. Tests use it to
// find leaks.
func Live() int { return int(C.bt_live()) }

// Version returns the version of libtorch, from its headers.
func Version() string { return C.GoString(C.bt_version()) }

// loadedVersion returns the version of the libtorch of this process.
func loadedVersion() string { return versionOf(uint64(C.bt_loaded_version())) }

// Library returns the path from which libtorch_cpu was loaded.
func Library() string {
	buf := (*C.char)(C.malloc(4096))
	defer C.free(unsafe.Pointer(buf))
	C.bt_library(buf, 4096)
	return C.GoString(buf)
}

func cudaDevices() int { return int(C.bt_cuda_devices()) }

func keepMemory() { C.bt_keep_memory() }

func workerBegin(id int32, threads int) int {
	C.bt_worker_begin(C.int32_t(id), C.int(threads))
	return int(C.bt_threads())
}

// onWorker returns the number of the worker whose thread runs the caller, 0 if it is no worker.
func onWorker() int32 { return int32(C.bt_worker()) }

func loadCUDA() error {
	if msg := C.bt_load_cuda(); msg != nil {
		defer C.free(unsafe.Pointer(msg))
		return errors.New(C.GoString(msg))
	}
	return nil
}
