package fingerprint

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"github.com/brainwavlm/bwlm/internal/activations"
)

// costly is the least product of the seconds of two recordings whose comparison is worth keeping: some 10 ms.
const costly = 120 * 120

// Find finds the stretches that two recordings have in common, as [Compare] does, or those that occur twice in one, as
// [Repeats] does where a is b. What was found between long ones is kept in the cache, if there is one: comparing two
// hours takes 5 to 25 s. An error is of the cache, and worth a warning: what is returned holds.
func Find(cache *activations.Store, a, b *Print) ([]Stretch, error) {
	compute := func() []Stretch {
		if a == b {
			return Repeats(a)
		}
		return Compare(a, b)
	}
	if cache == nil || a.Seconds()*b.Seconds() < costly {
		return compute(), nil
	}
	key := activations.Key(sha256.Sum256(fmt.Appendf(nil, "audio comparison %d\n%t %x %x", version, a == b, a.Hash,
		b.Hash)))
	e, err := cache.Get(key)
	if e != nil {
		var found []Stretch
		if json.Unmarshal(e.Data, &found) == nil {
			return found, err
		}
	}
	found := compute()
	data, failed := json.Marshal(found)
	if failed == nil {
		_, failed = cache.Put(key, activations.Entry{
			About: "audio that two recordings share", DType: "U8", Shape: []int{len(data)}, Data: data})
	}
	if err == nil {
		err = failed
	}
	return found, err
}
