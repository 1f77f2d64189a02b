//go:build !libtorch_dlopen

package dist

func openBinding() error { return nil }
