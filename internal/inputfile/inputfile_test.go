package inputfile

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(in(name), []byte(text), 0o600))
	}
	write("empty", "")
	write("data", "RIFF")
	write("long", "/annex/objects/"+strings.Repeat("x", sniff.MaxPointer))
	write("annextext", "../.git/annex/objects/K1/x8/MD5E-s1--a.wav/MD5E-s1--a.wav")
	write("annex", "/annex/objects/SHA256E-s120--abc.wav\n")
	write("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
	require.NoError(t, os.Symlink("data", in("link")))
	require.NoError(t, os.Symlink(".git/annex/objects/K1/x8/MD5E-s1--a.wav/MD5E-s1--a.wav", in("annexlink")))
	require.NoError(t, os.Symlink(in("annexlink"), in("linktoannexlink")))
	require.NoError(t, os.Symlink("nowhere", in("dangling")))
	require.NoError(t, os.Symlink("dangling", in("linktodangling")))
	require.NoError(t, os.Symlink("loop", in("loop")))
	require.NoError(t, syscall.Mkfifo(in("pipe"), 0o600))
	require.NoError(t, os.Mkdir(in("folder"), 0o700))
	socket, err := net.Listen("unix", in("socket"))
	require.NoError(t, err)
	defer socket.Close()

	for _, name := range []string{"empty", "data", "long", "link"} {
		require.NoError(t, Check("open", in(name)), name)
	}
	for name, c := range map[string]struct {
		kind fault.Kind
		why  string
	}{
		"annex":           {fault.Missing, "the file is a git-annex link without content; run `datalad get "},
		"annexlink":       {fault.Missing, "the file is a git-annex link without content; run `datalad get "},
		"annextext":       {fault.Missing, "is a git-annex link without content; run `datalad get " + in("annextext")},
		"linktoannexlink": {fault.Missing, "a git-annex link without content; run `datalad get " + in("annexlink")},
		"linktodangling":  {fault.Missing, "the link leads to nowhere, which does not exist"},
		"lfs":             {fault.Missing, "Git LFS pointer without content; run `git lfs pull`"},
		"dangling":        {fault.Missing, "the link leads to nowhere, which does not exist"},
		"none":            {fault.Missing, "no such file"},
		"data/x":          {fault.Missing, "not a directory"},
		"loop":            {fault.Missing, "the link leads back to itself; repair the link"},
		"folder":          {fault.BadData, "is a folder"},
		"pipe":            {fault.BadData, "is a device, pipe or socket"},
		"socket":          {fault.BadData, "is a device, pipe or socket"},
	} {
		faulttest.Require(t, c.kind, Check("open", in(name)), "open: "+in(name), c.why)
	}
	faulttest.Require(t, fault.BadData, Check("open", os.DevNull), "is a device")

	_, _, err = Open("read it", in("annex"))
	faulttest.Require(t, fault.Missing, err, "read it: ", "datalad get")
	_, err = Read("read it", in("pipe"), 1<<20)
	faulttest.Require(t, fault.BadData, err, "read it: ", "pipe")
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.WriteFile(path, []byte("four"), 0o600))
	text, err := Read("read it", path, 4)
	require.NoError(t, err)
	require.Equal(t, "four", string(text))
	_, err = Read("read it", path, 3)
	faulttest.Require(t, fault.BadData, err, "read it: "+path+": the file has 4 bytes, at most 3 are allowed")
}

func TestAFileThatShrinksIsNotDamaged(t *testing.T) {
	err := Fill(strings.NewReader("abc"), make([]byte, 4), 0)
	faulttest.Require(t, fault.IO, Error("read it", "a", err), "became shorter")
	require.NoError(t, Fill(strings.NewReader("abc"), make([]byte, 2), 1))
}

func TestErrorsKeepTheirCause(t *testing.T) {
	_, err := Read("read it", filepath.Join(t.TempDir(), "none"), 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
	own := fault.New(fault.Memory, "a", "b", "c")
	require.Same(t, own, Error("read it", "x", own))
}
