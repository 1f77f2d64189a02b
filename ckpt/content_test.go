package ckpt

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestCheckContent(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(in(name), []byte(text), 0o600))
	}
	write("empty", "")
	write("data", "RIFF")
	write("long", annexPointer+strings.Repeat("x", maxPointer))
	write("annex", "/annex/objects/SHA256E-s120--abc.wav\n")
	write("lfs", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
	require.NoError(t, os.Symlink("data", in("link")))
	require.NoError(t, os.Symlink(".git/annex/objects/K1/x8/MD5E-s1--a.wav/MD5E-s1--a.wav", in("annexlink")))
	require.NoError(t, os.Symlink(in("annexlink"), in("linktoannexlink")))
	require.NoError(t, os.Symlink("nowhere", in("dangling")))
	require.NoError(t, os.Symlink("loop", in("loop")))
	require.NoError(t, syscall.Mkfifo(in("pipe"), 0o600))
	require.NoError(t, os.Mkdir(in("folder"), 0o700))
	socket, err := net.Listen("unix", in("socket"))
	require.NoError(t, err)
	defer socket.Close()

	for _, name := range []string{"empty", "data", "long", "link"} {
		require.NoError(t, CheckContent(in(name)), name)
	}
	for name, c := range map[string]struct {
		kind fault.Kind
		why  string
	}{
		"annex":           {fault.Missing, "the file is a git-annex link without content; run `datalad get "},
		"annexlink":       {fault.Missing, "the file is a git-annex link without content; run `datalad get "},
		"linktoannexlink": {fault.Missing, "the link leads to "},
		"lfs":             {fault.Missing, "Git LFS pointer without content; run `git lfs pull`"},
		"dangling":        {fault.Missing, "the link leads to nowhere, which does not exist"},
		"none":            {fault.Missing, "no such file"},
		"data/x":          {fault.IO, "not a directory"},
		"loop":            {fault.IO, "too many levels"},
		"folder":          {fault.BadData, "is a folder"},
		"pipe":            {fault.BadData, "is a device, pipe or socket"},
		"socket":          {fault.BadData, "is a device, pipe or socket"},
	} {
		requireFault(t, c.kind, CheckContent(in(name)), "open: "+in(name), c.why)
	}
	requireFault(t, fault.BadData, CheckContent(os.DevNull), "is a device")

	// The readers look first, and name themselves.
	_, err = Open(in("annex"))
	requireFault(t, fault.Missing, err, "read safetensors: ", "datalad get")
	_, err = ReadNPY(in("pipe"))
	requireFault(t, fault.BadData, err, "read npy: ", "pipe")
}
