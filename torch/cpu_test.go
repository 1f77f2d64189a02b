//go:build !cuda

package torch_test

// prepare has nothing to do where no device is tested.
func prepare() {}
