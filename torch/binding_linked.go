//go:build !libtorch_dlopen

package torch

func openBinding() error { return nil }
