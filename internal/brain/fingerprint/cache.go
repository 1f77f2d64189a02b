package fingerprint

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/activations"
)

// KeyOf returns the key under which a cache keeps the print of a file as it is now: its path, size, time of last
// change and inode are hashed into it. ok is false where there is no such file.
func KeyOf(path string) (key activations.Key, ok bool) {
	path, err := filepath.Abs(path)
	if err != nil {
		return key, false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return key, false
	}
	var inode uint64
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		inode = uint64(s.Ino)
	}
	return sha256.Sum256(fmt.Appendf(nil, "audio fingerprint %d\n%s\n%d %d %d", version, path, info.Size(),
		info.ModTime().UnixNano(), inode)), true
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
