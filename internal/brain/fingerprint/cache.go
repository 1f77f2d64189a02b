package fingerprint

import (
	"fmt"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// KeyOf returns the key under which a cache keeps the print of a file as it is now: its path, size, time of last
// change and inode are hashed into it. ok is false where there is no such file.
func KeyOf(path string) (key activations.Key, ok bool) {
	return inputfile.Identity(path, fmt.Sprintf("audio fingerprint %d", version))
}

// Load reads a print from a cache: nil if it is not there. An error is worth a warning and no more.
func Load(cache *activations.Store, key activations.Key) (*Print, error) {
	e, err := cache.Get(key)
	if e == nil || err != nil {
		return nil, err
	}
	p, err := Decode(e.Data)
	if err != nil {
		return nil, fault.Wrap(fault.BadData, "read cache", cache.Dir, err).WithHint("it is computed again")
	}
	return p, nil
}

// Save keeps the print of a file. An error is worth a warning and no more.
func Save(cache *activations.Store, key activations.Key, path string, p *Print) error {
	data := p.Encode()
	_, err := cache.Put(key, activations.Entry{
		About: "audio fingerprint of " + filepath.Base(path), DType: "U8", Shape: []int{len(data)}, Data: data,
	})
	return err
}
