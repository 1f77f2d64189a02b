// Package fuzztest guards tests that feed hostile input to a reader.
package fuzztest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Run calls f and fails the test if it allocates more than perByte bytes for each byte of input and
// 1 MiB, or takes more than 2 seconds of processor time: the fuzzer notices neither memory that blows
// up nor loops that hardly end.
func Run(t testing.TB, perByte int, input []byte, f func()) {
	t.Helper()
	RunWith(t, perByte, input, 0, f)
}

// RunWith is [Run] for a reader that may allocate extra bytes more, such as the window of a decoder.
func RunWith(t testing.TB, perByte int, input []byte, extra int, f func()) {
	t.Helper()
	done := make(chan struct{})
	defer close(done)
	go watch(done, 2*time.Second)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if used, most := after.TotalAlloc-before.TotalAlloc, uint64(perByte*len(input)+1<<20+extra); used > most {
		t.Fatalf("%d bytes of input made it allocate %d bytes, %d are allowed", len(input), used, most)
	}
}

// watch panics when the process has computed for longer than limit before done is closed. On a machine with much
// else to do, time on the clock would prove nothing.
func watch(done <-chan struct{}, limit time.Duration) {
	begun := computed()
	ticks := time.NewTicker(limit)
	defer ticks.Stop()
	for {
		select {
		case <-done:
			return
		case <-ticks.C:
			if computed()-begun > limit {
				panic(fmt.Sprintf("takes longer than %v", limit))
			}
		}
	}
}

// computed is the processor time of this process.
func computed() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
