package dist

/*
#cgo !libtorch_dlopen,!libtorch_pkgconfig CXXFLAGS: -I${SRCDIR}/../../third_party/libtorch/include -I${SRCDIR}/../../third_party/libtorch/include/torch/csrc/api/include
#cgo !libtorch_dlopen,!libtorch_pkgconfig LDFLAGS: -L${SRCDIR}/../../third_party/libtorch/lib -Wl,-rpath,${SRCDIR}/../../third_party/libtorch/lib -Wl,-rpath-link,${SRCDIR}/../../third_party/nvidia/cu13/lib
#cgo !libtorch_dlopen,libtorch_pkgconfig pkg-config: libtorch
#cgo CXXFLAGS: -I${SRCDIR}/stub -std=c++20 -O2 -g0 -Wall -Wno-deprecated-declarations
#cgo !libtorch_dlopen LDFLAGS: -ltorch_cpu -lc10 -ldl
#include <stdlib.h>
#include "dist.h"
*/
import "C"

import (
	"errors"
	"strings"
	"time"
	"unsafe"
)

// handle is a group of the binding. Its methods may be called by two goroutines at a time: one for the store, one for
// the rest.
type handle struct{ g *C.dist_group }

// Errors of the binding by their cause; all others are of libtorch.
var (
	errLate = errors.New("late")
	errLost = errors.New("lost")
)

// pending is what wait returns before the end of an exchange.
var errPending = errors.New("pending")

// bindingError is an error with a message of libtorch, of one line.
type bindingError struct {
	kind error // errLate, errLost or nil
	text string
}

func (e *bindingError) Error() string { return e.text }
func (e *bindingError) Unwrap() error { return e.kind }

// check makes an error of what a function of the binding returned.
func check(code C.int, msg *C.char) error {
	switch code {
	case C.DIST_OK:
		return nil
	case C.DIST_PENDING:
		return errPending
	}
	defer C.free(unsafe.Pointer(msg))
	text, _, _ := strings.Cut(strings.TrimSpace(C.GoString(msg)), "\n")
	return &bindingError{map[C.int]error{C.DIST_TIMEOUT: errLate, C.DIST_LOST: errLost}[code], text}
}

// truth is a boolean of C.
func truth(yes bool) C.int {
	if yes {
		return 1
	}
	return 0
}

func openStore(host string, port int, server bool, world int, prefix string, wait time.Duration) (*handle, error) {
	h, p := C.CString(host), C.CString(prefix)
	defer C.free(unsafe.Pointer(h))
	defer C.free(unsafe.Pointer(p))
	out, msg := &handle{}, (*C.char)(nil)
	if err := check(C.dist_open(h, C.int(port), truth(server), C.int(world), p, C.int64_t(wait.Milliseconds()), &out.g,
		&msg), msg); err != nil {
		return nil, err
	}
	return out, nil
}

func (h *handle) set(key, value string) error {
	k, v := C.CString(key), C.CString(value)
	defer C.free(unsafe.Pointer(k))
	defer C.free(unsafe.Pointer(v))
	var msg *C.char
	return check(C.dist_set(h.g, k, v, &msg), msg)
}

// get returns the value of a key, ok false if it has none yet.
func (h *handle) get(key string) (value string, ok bool, err error) {
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	var msg, v *C.char
	if err := check(C.dist_get(h.g, k, &v, &msg), msg); err != nil || v == nil {
		return "", false, err
	}
	defer C.free(unsafe.Pointer(v))
	return C.GoString(v), true, nil
}

func (h *handle) connect(rank, world int, iface, address string, wait time.Duration) error {
	i, a := C.CString(iface), C.CString(address)
	defer C.free(unsafe.Pointer(i))
	defer C.free(unsafe.Pointer(a))
	var msg *C.char
	return check(C.dist_connect(h.g, C.int(rank), C.int(world), i, a,
		C.int64_t(wait.Milliseconds()), &msg), msg)
}

// Kinds of exchanges.
const (
	gather   = C.DIST_GATHER
	allToAll = C.DIST_EXCHANGE
	sum      = C.DIST_SUM
)

// connectDevices connects the ranks' GPUs, of which this one has number index, by a library of device.h.
func (h *handle) connectDevices(library string, index int, wait time.Duration) error {
	l := C.CString(library)
	defer C.free(unsafe.Pointer(l))
	var msg *C.char
	return check(C.dist_device_connect(h.g, l, C.int(index), C.int64_t(wait.Milliseconds()), &msg), msg)
}

func (h *handle) leaveDevices() { C.dist_device_leave(h.g) }

// exchange is one operation of all processes.
type exchange struct {
	what          C.int
	byDevice      bool
	in            unsafe.Pointer // copied
	send, receive []int64        // bytes
	most          time.Duration  // that it may take
}

func (h *handle) start(x exchange) error {
	var msg *C.char
	return check(C.dist_start(h.g, x.what, truth(x.byDevice), x.in, (*C.int64_t)(unsafe.SliceData(x.send)),
		(*C.int64_t)(unsafe.SliceData(x.receive)), C.int64_t(x.most.Milliseconds()), &msg), msg)
}

func (h *handle) wait(most time.Duration) error {
	var msg *C.char
	return check(C.dist_wait(h.g, C.int64_t(most.Milliseconds()), &msg), msg)
}

func (h *handle) take(out unsafe.Pointer, bytes int) error {
	var msg *C.char
	return check(C.dist_take(h.g, out, C.int64_t(bytes), &msg), msg)
}

func (h *handle) close() { C.dist_close(h.g) }
