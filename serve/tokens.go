package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

const (
	readTokens  = "read tokens"
	maxTokens   = 1 << 20 // bytes of a file
	leastToken  = 16      // characters
	lookAgainIn = time.Second
)

// tokens are the bearer tokens of a file, which is read again when it has changed.
type tokens struct {
	path string

	lock   sync.Mutex
	looked time.Time
	state  os.FileInfo
	hashes [][sha256.Size]byte
}

// open reads the file.
func (t *tokens) open(path string) error {
	t.path = path
	state, err := os.Stat(path)
	if err != nil {
		return inputfile.Error(readTokens, path, err)
	}
	if t.hashes, err = parseTokens(path); err != nil {
		return err
	}
	t.state, t.looked = state, time.Now()
	return nil
}

// parseTokens reads the tokens of a file, one a line; empty lines and those that begin with # do not count.
func parseTokens(path string) (out [][sha256.Size]byte, err error) {
	data, err := inputfile.Read(readTokens, path, maxTokens)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if len(line) < leastToken {
			return nil, fault.New(fault.Usage, readTokens, path, "a token has %d characters, want at least %d",
				len(line),
				leastToken).WithHint("make one with openssl rand -hex 32")
		}
		out = append(out, sha256.Sum256([]byte(line)))
	}
	if len(out) == 0 {
		return nil, fault.New(fault.Usage, readTokens, path, "there is no token")
	}
	return out, nil
}

// allows reports whether the Authorization of a request has a valid token. Without a file all have. The time does not
// depend on how much of a token is right.
func (t *tokens) allows(authorization string) bool {
	if t.path == "" {
		return true
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	hash, found := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
	for _, h := range t.current() {
		found |= subtle.ConstantTimeCompare(h[:], hash[:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// current returns the hashes of the tokens. A file that changed and cannot be read leaves them as they were.
func (t *tokens) current() [][sha256.Size]byte {
	t.lock.Lock()
	defer t.lock.Unlock()
	if time.Since(t.looked) < lookAgainIn {
		return t.hashes
	}
	t.looked = time.Now()
	state, err := os.Stat(t.path)
	if err != nil || os.SameFile(state, t.state) && state.ModTime().Equal(t.state.ModTime()) &&
		state.Size() == t.state.Size() {
		return t.hashes
	}
	if hashes, err := parseTokens(t.path); err == nil {
		t.hashes, t.state = hashes, state
	}
	return t.hashes
}
