package annex

import (
	"crypto/md5"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestKeysAreParsed(t *testing.T) {
	for text, want := range map[string]Key{
		"../../.git/annex/objects/jm/X1/MD5E-s15--d606.hf5/MD5E-s15--d606.hf5": {"MD5E-s15--d606.hf5", 15, "MD5",
			"d606"},
		"/annex/objects/SHA256E-s7-m99--ABC.tar.gz\n": {"SHA256E-s7-m99--ABC.tar.gz", 7,
			"SHA256", "abc"},
		"SHA512--ff":                {"SHA512--ff", -1, "SHA512", "ff"},
		"URL-s3--http&c%%x.org%a-b": {"URL-s3--http&c%%x.org%a-b", 3, "URL", ""},
	} {
		got, ok := Parse(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "MD5E", "--x", "a.wav"} {
		_, ok := Parse(text)
		assert.False(t, ok, text)
	}
}

func TestKeysOfFiles(t *testing.T) {
	dir := t.TempDir()
	content := []byte("content")
	name := fmt.Sprintf("MD5E-s7--%x.hf5", md5.Sum(content))
	object := filepath.Join(dir, ".git", "annex", "objects", "a", "b", name, name)
	target := filepath.Join(".git", "annex", "objects", "a", "b", name, name)
	in := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.Symlink(target, in("linked.hf5")))
	require.NoError(t, os.Symlink("linked.hf5", in("again.hf5")))
	require.NoError(t, os.WriteFile(in("plain"), content, 0o600))
	require.NoError(t, os.WriteFile(in("unlocked"), []byte("/annex/objects/"+name+"\n"), 0o600))
	require.NoError(t, os.WriteFile(in("text"), []byte(target), 0o600))
	require.NoError(t, os.WriteFile(in("lfs"),
		[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"), 0o600))
	of := func(name string, there bool) Key {
		key, got, err := Of(in(name))
		require.NoError(t, err)
		assert.Equal(t, there, got, name)
		return key
	}
	for _, file := range []string{"linked.hf5", "again.hf5", "unlocked", "text"} {
		assert.Equal(t, name, of(file, false).Text, file)
	}
	assert.Equal(t, Key{"sha256:4d7a", 12345, "SHA256", "4d7a"}, of("lfs", false))
	assert.Equal(t, Key{}, of("plain", true))
	assert.Equal(t, Key{}, of("nothing", false))

	require.NoError(t, os.MkdirAll(filepath.Dir(object), 0o700))
	require.NoError(t, os.WriteFile(object, content, 0o600))
	key := of("again.hf5", true)
	sum := key.Digester()
	sum.Write(content)
	assert.True(t, key.Is(sum.Sum(nil)))
	sum.Write([]byte{0})
	assert.False(t, key.Is(sum.Sum(nil)))
}
