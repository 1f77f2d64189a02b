package dataset

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// bounded runs a reader of some bytes and wants a fault or none, little memory and little time: the
// fuzzer itself sees neither blow-ups nor hangs.
func bounded(t *testing.T, size int, read func() error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	err := read()
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if err != nil {
		var f *fault.Error
		require.True(t, errors.As(err, &f), "%T %v", err, err)
		require.Equal(t, fault.BadData, f.Kind)
	}
	require.Less(t, took, 2*time.Second)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(256*size+1<<20))
}

func FuzzReadText(f *testing.F) {
	for _, seed := range []string{"1 2\n3 4\n", "# c\n1e5\t-.5 nan\r\n0x1p3 inf 1_0", "\ufeff1\n2", "1 1e39"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bounded(t, len(text), func() error {
			m, err := readText(strings.NewReader(text), "m.txt")
			if err == nil && (m.Rows < 1 || m.Voxels < 1 || len(m.Data) != m.Rows*m.Voxels) {
				t.Fatalf("%d rows × %d voxels of %d values", m.Rows, m.Voxels, len(m.Data))
			}
			return err
		})
	})
}

func FuzzReadWords(f *testing.F) {
	for _, seed := range []string{"onset\toffset\tword\n0\t1\thi\n", "\ufeffonset\toffset\tword\r\n0\t1\t\"\r\n",
		"word\tonset\toffset\nn/a\tNaN\t-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bounded(t, len(text), func() error {
			words, err := readWords(strings.NewReader(text), "w.tsv")
			last := 0.
			for _, w := range words {
				if !(w.Onset >= last && w.Offset >= w.Onset) || math.IsInf(w.Offset, 0) {
					t.Fatalf("%v after %g", w, last)
				}
				last = w.Onset
			}
			return err
		})
	})
}

func FuzzLayout(f *testing.F) {
	f.Add(good)
	f.Add("tr_seconds: 2\nstories: {a: {}}\nsubjects: {s1: &same {a: x.txt}, s2: *same}")
	f.Add("a: &a [*a, *a]\nb: {? [x] : y}\n<<: *a")
	f.Add("tr_seconds: 1e999\nrow_time: 0x10\nstories: !!map {a: !!str 3}")
	f.Fuzz(func(t *testing.T, text string) {
		bounded(t, len(text), func() error {
			spec, _, err := parse([]byte(text), "dataset.yaml", &recordings{})
			if err != nil {
				return err
			}
			_, err = New(*spec)
			return err
		})
	})
}
