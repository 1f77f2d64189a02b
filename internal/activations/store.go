package activations

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/disk"
)

// Store is a folder of tensors. It may be used by several goroutines, and the folder by several processes.
type Store struct {
	Dir    string
	limit  int64 // bytes of all files
	root   *disk.Folder
	opened time.Time

	mu   sync.Mutex
	used int64 // bytes, as this process has counted
	full bool  // nothing more can be put: no room, or no disk
}

// Open opens the folder, creates it if needed, and limits its size to a number of bytes.
func Open(dir string, limit int64) (*Store, error) {
	const what = "open cache"
	if err := disk.MkdirAll(dir, 0o777); err != nil {
		return nil, fault.Wrap(fault.IO, what, dir, err).WithHint("choose another folder for the cache")
	}
	root, err := disk.Open(dir)
	if err != nil {
		return nil, fault.Wrap(fault.IO, what, dir, err)
	}
	s := &Store{Dir: dir, limit: limit, root: root, opened: time.Now()}
	files, err := s.files()
	if err != nil {
		root.Close()
		return nil, err
	}
	for _, f := range files {
		s.used += f.Bytes
	}
	return s, nil
}

// Close frees what the store holds; the files stay.
func (s *Store) Close() { s.root.Close() }

// Get reads the tensor of a key: nil if there is none. A damaged file, or what is no regular file, is removed and
// reported as BadData.
func (s *Store) Get(k Key) (*Entry, error) {
	name := k.String()
	e, err := s.read(k, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errTooLarge):
		return nil, nil
	case isDamaged(err):
		_ = s.root.RemoveAll(name)
		return nil, damaged(s.path(name), err)
	case err != nil:
		return nil, fault.Wrap(fault.IO, "read cache", s.path(name), err)
	}
	_ = s.root.Touch(name, time.Now()) // where that is not allowed, pruning goes by age
	return e, nil
}

// errTooLarge is the error of a file that is larger than all files together may be.
var errTooLarge = errors.New("larger than the cache may be")

// read reads and checks an entry.
func (s *Store) read(k Key, name string) (*Entry, error) {
	if info, err := s.root.Lstat(name); err == nil && info.Size() > s.limit {
		return nil, errTooLarge
	}
	file, err := s.root.Read(name, s.limit)
	if err != nil {
		return nil, err
	}
	return decode(k, file)
}

// isDamaged reports whether an error is about what is in the place of an entry, and not one of the operating system.
func isDamaged(err error) bool {
	var errno syscall.Errno
	return err != nil && !errors.As(err, &errno)
}

func damaged(path string, why error) error {
	return fault.Wrap(fault.BadData, "read cache", path,
		fmt.Errorf("the file is damaged: %w", why)).WithHint("it is computed again; check the disk")
}

// Put stores a tensor and reports whether it did. It does not where the entries used since the
// store was opened leave no room. After an error, which is worth a warning and no more, the store
// takes nothing more.
func (s *Store) Put(k Key, e Entry) (kept bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.full {
		return false, nil
	}
	file := encode(k, e)
	size := int64(len(file))
	if s.used+size > s.limit {
		if err := s.makeRoom(size); err != nil {
			s.full = true
			return false, err
		}
		if s.full = s.used+size > s.limit; s.full {
			return false, nil
		}
	}
	if err := s.write(k.String(), file); err != nil {
		s.full = true
		return false, fault.Wrap(fault.IO, "write cache", s.Dir,
			err).WithHint("make room there, or choose another folder for the cache")
	}
	s.used += size
	return true, nil
}

// write makes a file appear whole.
func (s *Store) write(name string, data []byte) (err error) {
	temp := fmt.Sprintf(".%s.%08x%s", name[:8], rand.Uint32(), unfinished)
	f, err := s.root.Create(temp, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.root.Rename(temp, name)
	}
	if err != nil {
		_ = s.root.Remove(temp)
	}
	return err
}

// unfinished is how files end that are being written; one that is older than an hour was left by a killed process.
const (
	unfinished = ".tmp"
	leftBehind = time.Hour
)

// makeRoom removes the least recently used entries, all from before the store was opened, until
// there is room for a number of bytes and a sixteenth of the limit.
func (s *Store) makeRoom(size int64) error {
	_, left, err := s.prune(s.limit-s.limit/16-size, s.opened)
	s.used = left
	return err
}

// Prune removes remains of killed processes, then the least recently used entries until at most the
// given number of bytes is left. It returns the bytes removed and left.
func (s *Store) Prune(limit int64) (removed, left int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	removed, left, err = s.prune(limit, time.Now().Add(time.Hour))
	s.used = left
	return removed, left, err
}

func (s *Store) prune(limit int64, before time.Time) (removed, left int64, err error) {
	files, err := s.files()
	if err != nil {
		return 0, 0, err
	}
	for _, f := range files {
		left += f.Bytes
	}
	slices.SortStableFunc(files, func(a, b Info) int { return a.Used.Compare(b.Used) })
	for _, f := range files {
		stale := f.unfinished && time.Since(f.Used) > leftBehind
		if !stale && (left <= limit || !f.Used.Before(before) || f.unfinished) {
			continue
		}
		if err := s.root.Remove(f.Name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return removed, left, fault.Wrap(fault.IO, "prune cache", s.path(f.Name), err)
		}
		removed, left = removed+f.Bytes, left-f.Bytes
	}
	return removed, left, nil
}

// Info is what is known of a file without reading its elements.
type Info struct {
	Name  string    `json:"name"`
	About string    `json:"about"`
	DType string    `json:"dtype"`
	Shape []int     `json:"shape"`
	Bytes int64     `json:"bytes"`
	Used  time.Time `json:"used"`

	unfinished bool
}

// files lists the store's files, by name, without looking into them.
func (s *Store) files() (out []Info, err error) {
	entries, err := s.root.ReadDir(".")
	if err != nil {
		return nil, fault.Wrap(fault.IO, "list cache", s.Dir, err)
	}
	for _, e := range entries {
		temp := strings.HasPrefix(e.Name(), ".") && strings.HasSuffix(e.Name(), unfinished)
		if _, ok := keyOf(e.Name()); !ok && !temp {
			continue // not ours
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // another process was faster
		}
		if err != nil {
			return nil, fault.Wrap(fault.IO, "list cache", s.path(e.Name()), err)
		}
		out = append(out, Info{Name: e.Name(), Bytes: info.Size(), Used: info.ModTime(), unfinished: temp})
	}
	return out, nil
}

// keyOf is the key whose file has that name.
func keyOf(name string) (k Key, ok bool) {
	n, err := hex.Decode(k[:], []byte(name)[:min(len(name), 2*len(k))])
	return k, err == nil && n == len(k) && len(name) == 2*len(k)
}

// List returns the entries, the most recently used first.
func (s *Store) List() ([]Info, error) {
	files, err := s.files()
	if err != nil {
		return nil, err
	}
	files = slices.DeleteFunc(files, func(f Info) bool { return f.unfinished })
	for i := range files {
		files[i].look(s.root)
	}
	slices.SortStableFunc(files, func(a, b Info) int {
		return cmp.Or(b.Used.Compare(a.Used),
			strings.Compare(a.Name, b.Name))
	})
	return files, nil
}

// maxHeader is the size of the longest header that is looked at.
const maxHeader = 1 << 16

// look reads the header.
func (f *Info) look(root *disk.Folder) {
	file, _, err := root.Open(f.Name)
	if err != nil {
		return
	}
	defer file.Close()
	line, _ := bufio.NewReaderSize(file, maxHeader).ReadSlice('\n')
	var h header
	if json.Unmarshal(bytes.TrimSuffix(line, []byte("\n")), &h) == nil {
		f.About, f.DType, f.Shape = h.About, h.DType, h.Shape
	}
}

// Verify reads every file, removes damaged ones, and returns their errors.
func (s *Store) Verify(ctx context.Context) (sound int, bad []error, err error) {
	files, err := s.files()
	if err != nil {
		return 0, nil, err
	}
	for _, f := range files {
		if ctx.Err() != nil {
			return sound, bad, context.Cause(ctx)
		}
		k, ok := keyOf(f.Name)
		if !ok {
			continue
		}
		_, err := s.read(k, f.Name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			sound++
			continue
		}
		bad = append(bad, damaged(s.path(f.Name), err))
		if err := s.root.RemoveAll(f.Name); err != nil {
			return sound, bad, fault.Wrap(fault.IO, "verify cache", s.path(f.Name), err)
		}
	}
	return sound, bad, nil
}

func (s *Store) path(name string) string { return filepath.Join(s.Dir, name) }
