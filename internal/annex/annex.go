package annex

import (
	"crypto/md5"  //nolint:gosec // the digest that most keys have; it is compared with, not relied on
	"crypto/sha1" //nolint:gosec // likewise
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// Key names content.
type Key struct {
	Text   string // as git-annex or Git LFS writes it; "" if there is none
	Size   int64  // bytes; -1 if the key does not say
	Kind   string // of the digest: MD5, SHA1, SHA256, SHA512, or another that is not compared
	Digest string // in hexadecimal digits
}

// Parse reads the key that is the last part of the path of an object: MD5E-s156412976--d606….hf5.
func Parse(text string) (Key, bool) {
	text = path.Base(strings.TrimSpace(text))
	head, digest, ok := strings.Cut(text, "--")
	fields := strings.Split(head, "-")
	if !ok || fields[0] == "" || digest == "" {
		return Key{}, false
	}
	k := Key{Text: text, Size: -1, Kind: strings.TrimSuffix(fields[0], "E")}
	for _, f := range fields[1:] {
		if n, err := strconv.ParseInt(strings.TrimPrefix(f, "s"), 10, 64); strings.HasPrefix(f, "s") && err == nil {
			k.Size = n
		}
	}
	if digest, _, _ = strings.Cut(digest, "."); k.hash() != nil {
		k.Digest = strings.ToLower(digest)
	}
	return k, true
}

// hash makes a digest of the kind of a key, nil of another kind.
func (k Key) hash() hash.Hash {
	switch k.Kind {
	case "MD5":
		return md5.New() //nolint:gosec // see above
	case "SHA1":
		return sha1.New() //nolint:gosec // see above
	case "SHA256":
		return sha256.New()
	case "SHA512":
		return sha512.New()
	}
	return nil
}

// Digester returns what computes the digest of content for [Key.Is], nil if the key has none that is known.
func (k Key) Digester() hash.Hash {
	if k.Digest == "" {
		return nil
	}
	return k.hash()
}

// Is reports whether content has the digest of the key.
func (k Key) Is(sum []byte) bool { return hex.EncodeToString(sum) == k.Digest }

// maxLinks is the length of the longest chain of links that is followed.
const maxLinks = 40

// Of returns the key of a file, the zero Key if it has none, and whether its content is there. A path where nothing
// is has no content; an error is one of reading it.
func Of(file string) (key Key, there bool, err error) {
	link := file
	for range maxLinks {
		target, err := os.Readlink(link)
		if err != nil {
			break
		}
		if sniff.IsAnnexLink(target) {
			key, _ = Parse(target)
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(link), target)
		}
		link = target
	}
	info, err := os.Stat(file)
	if err != nil {
		if os.IsNotExist(err) {
			return key, false, nil
		}
		return key, false, inputfile.Error("open", file, err)
	}
	if info.Size() > sniff.MaxPointer || !info.Mode().IsRegular() {
		return key, true, nil
	}
	switch sniff.File(file) {
	case sniff.Annex, sniff.LFS:
		text, err := os.ReadFile(file)
		if err != nil {
			return key, false, inputfile.Error("open", file, err)
		}
		return pointer(string(text)), false, nil
	}
	return key, true, nil
}

// pointer reads the text of a pointer.
func pointer(text string) Key {
	if sniff.IsAnnexLink(text) {
		line, _, _ := strings.Cut(text, "\n")
		key, _ := Parse(line)
		return key
	}
	key := Key{Size: -1}
	for line := range strings.Lines(text) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name {
		case "oid":
			if digest, ok := strings.CutPrefix(value, "sha256:"); ok {
				key.Text, key.Kind, key.Digest = value, "SHA256", digest
			}
		case "size":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
				key.Size = n
			}
		}
	}
	return key
}
