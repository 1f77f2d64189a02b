package main

import "github.com/brainwavlm/bwlm/npy"

func main() {
	const rows, features, voxels = 2000, 148000, 5000
	state := uint32(1)
	next := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			state = state*1664525 + 1013904223
			x[i] = float32(int32(state)) / (1 << 31)
		}
		return x
	}
	if err := npy.Write("/tmp/big/x.npy", []int{rows, features}, next(rows*features)); err != nil {
		panic(err)
	}
	if err := npy.Write("/tmp/big/y.npy", []int{rows, voxels}, next(rows*voxels)); err != nil {
		panic(err)
	}
	if err := npy.Write("/tmp/big/x2.npy", []int{200, features}, next(200*features)); err != nil {
		panic(err)
	}
	if err := npy.Write("/tmp/big/y2.npy", []int{200, voxels}, next(200*voxels)); err != nil {
		panic(err)
	}
}
