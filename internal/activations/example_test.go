package activations_test

import (
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/brainwavlm/bwlm/internal/activations"
)

func Example() {
	dir, err := os.MkdirTemp("", "frames")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := activations.Open(dir, 1<<20)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	key := activations.Key(sha256.Sum256([]byte("weights, samples, settings")))
	kept, err := store.Put(key, activations.Entry{About: "two numbers", DType: "F32", Shape: []int{2},
		Data: make([]byte, 8)})
	fmt.Println(kept, err)
	entry, err := store.Get(key)
	fmt.Println(entry.About, entry.Shape, err)
	// Output:
	// true <nil>
	// two numbers [2] <nil>
}
