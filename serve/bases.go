package serve

import (
	"context"
	"sync"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// bases are the speech models of a server, each in memory once, however many models are views of it.
type bases struct {
	lock  sync.Mutex
	known map[baseKey]*base
}

type baseKey struct {
	dir string
	opt string // of loading
}

type base struct {
	encoder speech.Encoder
	uses    int
}

// shared is a speech model whose Close keeps it for others.
type shared struct {
	speech.Encoder
	release func()
}

// Close frees the model if nobody else uses it.
func (s *shared) Close() { s.release() }

// open returns the model in a folder, which is read if it is not in use.
func (b *bases) open(ctx context.Context, dir string, opt speech.Options) (speech.Encoder, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	key := baseKey{dir, string(opt.Context) + " " + opt.Compute.String()}
	m := b.known[key]
	if m == nil {
		encoder, err := pretrained.Open(ctx, dir, opt)
		if err != nil {
			return nil, err
		}
		m = &base{encoder: encoder}
		if b.known == nil {
			b.known = map[baseKey]*base{}
		}
		b.known[key] = m
	}
	m.uses++
	return &shared{m.encoder, sync.OnceFunc(func() { b.release(key) })}, nil
}

func (b *bases) release(key baseKey) {
	b.lock.Lock()
	defer b.lock.Unlock()
	m := b.known[key]
	if m.uses--; m.uses == 0 {
		m.encoder.Close()
		delete(b.known, key)
	}
}
