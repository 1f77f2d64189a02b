// Package fuzztest guards tests that feed hostile input to a reader.
package fuzztest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// Run calls f and fails the test if it allocates more than perByte bytes for each byte of input and
// 1 MiB, or takes more than 2 seconds: the fuzzer notices neither memory that blows up nor loops
// that hardly end.
func Run(t testing.TB, perByte int, input []byte, f func()) {
	t.Helper()
	RunWith(t, perByte, input, 0, f)
}

// RunWith is [Run] for a reader that may allocate extra bytes more, such as the window of a decoder.
func RunWith(t testing.TB, perByte int, input []byte, extra int, f func()) {
	t.Helper()
	const limit = 2 * time.Second
	watch := time.AfterFunc(limit, func() { panic(fmt.Sprintf("takes longer than %v", limit)) })
	defer watch.Stop()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(perByte*len(input)+1<<20+extra); used > most {
		t.Fatalf("%d bytes of input made it allocate %d bytes, %d are allowed", len(input), used, most)
	}
}

// Seeds adds the files that match a pattern to a fuzz target.
func Seeds(f *testing.F, pattern string) {
	f.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		f.Fatalf("no file matches %s: %v", pattern, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
}
