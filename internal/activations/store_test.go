package activations

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func open(t *testing.T, dir string, limit int64) *Store {
	t.Helper()
	s, err := Open(dir, limit)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func key(i int) Key { return sha256.Sum256([]byte{byte(i)}) }

// entry is a tensor of n elements.
func entry(i, n int) Entry {
	return Entry{fmt.Sprintf("tensor %d", i), "F32", []int{1, n}, bytes.Repeat([]byte{byte(i)}, 4*n)}
}

func put(t *testing.T, s *Store, i, n int) bool {
	t.Helper()
	kept, err := s.Put(key(i), entry(i, n))
	require.NoError(t, err)
	return kept
}

func get(t *testing.T, s *Store, i int) *Entry {
	t.Helper()
	e, err := s.Get(key(i))
	require.NoError(t, err)
	return e
}

func TestWhatIsPutIsFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir, 1<<20)
	assert.Nil(t, get(t, s, 1))
	assert.True(t, put(t, s, 1, 10))
	half := Entry{"rounded", "BF16", []int{3}, []byte{1, 2, 3, 4, 5, 6}}
	kept, err := s.Put(key(2), half)
	require.NoError(t, err)
	assert.True(t, kept)
	again := open(t, dir, 1<<20)
	assert.Equal(t, entry(1, 10), *get(t, again, 1))
	assert.Equal(t, half, *get(t, again, 2))
	assert.Nil(t, get(t, again, 3))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README"), []byte("not ours"), 0o666))
	list, err := again.List()
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.ElementsMatch(t, []string{"tensor 1", "rounded"}, []string{list[0].About, list[1].About})
	assert.Equal(t, s.used, again.used)
}

// Whatever single byte of a file is changed, wherever it is cut, and if it has another's name: it is not used.
func TestDamageIsSeen(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	put(t, s, 1, 3)
	path := filepath.Join(dir, key(1).String())
	sound, err := os.ReadFile(path)
	require.NoError(t, err)
	damaged := func(data []byte, about string) {
		require.NoError(t, os.WriteFile(path, data, 0o666))
		e, err := s.Get(key(1))
		assert.Nil(t, e, about)
		assert.Equal(t, fault.BadData, fault.KindOf(err), about)
		assert.NoFileExists(t, path, about)
	}
	for i := range sound {
		data := bytes.Clone(sound)
		data[i] ^= 1
		damaged(data, fmt.Sprintf("byte %d", i))
		damaged(sound[:i], fmt.Sprintf("cut at %d", i))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, key(2).String()), sound, 0o666))
	_, err = s.Get(key(2))
	assert.ErrorContains(t, err, "the file is damaged: its checksum does not fit; it is computed again")
	require.NoError(t, os.WriteFile(path, sound, 0o666))
	assert.Equal(t, entry(1, 3), *get(t, s, 1))
}

// What somebody put in the place of an entry is neither followed nor waited for, and no file makes the store read more
// than it may hold.
func TestWhatIsNoEntryIsRemoved(t *testing.T) {
	dir, victim := t.TempDir(), filepath.Join(t.TempDir(), "victim")
	s := open(t, dir, 1<<20)
	put(t, s, 1, 3)
	path := filepath.Join(dir, key(1).String())
	require.NoError(t, os.Rename(path, victim))
	for what, plant := range map[string]func() error{
		"a link":   func() error { return os.Symlink(victim, path) },
		"a pipe":   func() error { return syscall.Mkfifo(path, 0o600) },
		"a folder": func() error { return os.MkdirAll(filepath.Join(path, "sub"), 0o700) },
	} {
		for _, again := range []string{"get", "verify"} {
			require.NoError(t, plant())
			if again == "get" {
				_, err := s.Get(key(1))
				assert.Equal(t, fault.BadData, fault.KindOf(err), what)
				assert.ErrorContains(t, err, "is "+what+", want a regular file; it is computed again")
			} else {
				_, bad, err := s.Verify(t.Context())
				require.NoError(t, err)
				assert.Len(t, bad, 1, what)
			}
			_, err := os.Lstat(path)
			assert.ErrorIs(t, err, os.ErrNotExist, what)
			assert.FileExists(t, victim)
		}
	}
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, 1<<40)) // sparse
	assert.Nil(t, get(t, s, 1))
	assert.True(t, put(t, s, 1, 3))
	assert.NotNil(t, get(t, s, 1))
}

// used sets when tensors were used last, in hours before now.
func used(t *testing.T, dir string, hours map[int]int) {
	for i, h := range hours {
		at := time.Now().Add(-time.Duration(h) * time.Hour)
		require.NoError(t, os.Chtimes(filepath.Join(dir, key(i).String()), at, at))
	}
}

func TestLeastRecentlyUsedGoesFirst(t *testing.T) {
	dir := t.TempDir()
	const size = 1000 // of elements: some 4.1 kB each
	first := open(t, dir, 1<<20)
	for i := range 4 {
		put(t, first, i, size)
	}
	used(t, dir, map[int]int{0: 3, 1: 9, 2: 5, 3: 7})
	s := open(t, dir, 5*4200)
	assert.NotNil(t, get(t, s, 1), "which makes it recent")
	assert.True(t, put(t, s, 4, size))
	assert.True(t, put(t, s, 5, size), "in the place of 3 and, to have a little room, 2")
	list, err := s.List()
	require.NoError(t, err)
	var have []string
	for _, f := range list {
		have = append(have, f.About)
	}
	assert.ElementsMatch(t, []string{"tensor 0", "tensor 1", "tensor 4", "tensor 5"}, have)
	assert.True(t, put(t, s, 6, size))
	assert.True(t, put(t, s, 7, size))
	assert.False(t, put(t, s, 8, size), "the rest was used since the store was opened")
	assert.False(t, put(t, s, 9, 1), "and it is not asked again")
	for _, i := range []int{1, 4, 5, 6, 7} {
		assert.NotNil(t, get(t, s, i), i)
	}
	assert.LessOrEqual(t, s.used, s.limit)
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	for i := range 4 {
		put(t, s, i, 1000)
	}
	used(t, dir, map[int]int{0: 1, 1: 4, 2: 2, 3: 3})
	old, young := filepath.Join(dir, ".00112233.00000001.tmp"), filepath.Join(dir, ".00112233.00000002.tmp")
	for _, path := range []string{old, young} {
		require.NoError(t, os.WriteFile(path, []byte("half"), 0o666))
	}
	at := time.Now().Add(-2 * leftBehind)
	require.NoError(t, os.Chtimes(old, at, at))
	removed, left, err := s.Prune(9000)
	require.NoError(t, err)
	assert.NoFileExists(t, old)
	assert.FileExists(t, young, "somebody may be writing it")
	assert.Nil(t, get(t, s, 1))
	assert.Nil(t, get(t, s, 3))
	assert.NotNil(t, get(t, s, 0))
	assert.NotNil(t, get(t, s, 2))
	assert.LessOrEqual(t, left, int64(9000))
	assert.Greater(t, removed, int64(8000))
	_, left, err = s.Prune(0)
	require.NoError(t, err)
	assert.Equal(t, int64(4), left, "what is being written")
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	for i := range 5 {
		put(t, s, i, 10)
	}
	bad := filepath.Join(dir, key(3).String())
	require.NoError(t, os.WriteFile(bad, []byte("nonsense"), 0o666))
	sound, wrong, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 4, sound)
	require.Len(t, wrong, 1)
	assert.ErrorContains(t, wrong[0], bad)
	assert.NoFileExists(t, bad)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = s.Verify(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

// A disk that is full or gone is reported once; nothing half-written stays.
func TestNoMoreRoomOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, 1<<20)
	s.root.Close()
	kept, err := s.Put(key(1), entry(1, 10))
	assert.False(t, kept)
	assert.Equal(t, fault.IO, fault.KindOf(err))
	assert.ErrorContains(t, err, "write cache: "+dir)
	kept, err = s.Put(key(2), entry(2, 10))
	assert.False(t, kept)
	assert.NoError(t, err, "once is enough")
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err = Open(file, 1)
	assert.Equal(t, fault.IO, fault.KindOf(err))
}

// A disk that takes only some of a file: nothing of it stays, and the error says what to do.
func TestNothingOfAHalfWrittenFileStays(t *testing.T) {
	if dir := os.Getenv("BWLM_FRAMES_FULL"); dir != "" {
		require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}))
		kept, err := open(t, dir, 1<<20).Put(key(1), entry(1, 1000))
		assert.False(t, kept)
		assert.ErrorIs(t, err, syscall.EFBIG)
		assert.ErrorContains(t, err, "make room there, or choose another folder")
		return
	}
	dir := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=TestNothingOfAHalfWrittenFileStays", "-test.count=1")
	c.Env = append(os.Environ(), "BWLM_FRAMES_FULL="+dir)
	out, err := c.CombinedOutput()
	assert.NoError(t, err, string(out))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, files)
}

// Processes that put, get and prune in one folder at once find whole tensors or none.
func TestProcessesAtOnce(t *testing.T) {
	if dir := os.Getenv("BWLM_FRAMES_CHILD"); dir != "" {
		child(t, dir)
		return
	}
	dir := t.TempDir()
	var children []*exec.Cmd
	for range 4 {
		c := exec.Command(os.Args[0], "-test.run=TestProcessesAtOnce", "-test.count=1")
		c.Env = append(os.Environ(), "BWLM_FRAMES_CHILD="+dir)
		said := &bytes.Buffer{}
		c.Stdout, c.Stderr = said, said
		require.NoError(t, c.Start())
		children = append(children, c)
	}
	for _, c := range children {
		err := c.Wait()
		assert.NoError(t, err, "%s", c.Stdout)
	}
	s := open(t, dir, 1<<20)
	_, bad, err := s.Verify(t.Context())
	require.NoError(t, err)
	assert.Empty(t, bad)
	files, err := s.files()
	require.NoError(t, err)
	for _, f := range files {
		assert.False(t, f.unfinished, f.Name)
	}
}

func child(t *testing.T, dir string) {
	for round := range 20 {
		s := open(t, dir, 60_000)
		for i := range 20 {
			n := (round*7 + i*3) % 20
			if e := get(t, s, n); e != nil {
				require.Equal(t, entry(n, 1000), *e)
				continue
			}
			put(t, s, n, 1000)
		}
		_, _, err := s.Prune(30_000)
		require.NoError(t, err)
	}
}
