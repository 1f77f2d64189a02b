//go:build slow

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// makePackage runs scripts/dist.sh and returns the path of the package.
func makePackage(t *testing.T, kind string) string {
	t.Helper()
	c := exec.Command("scripts/dist.sh", kind)
	c.Dir = "../.."
	c.Stderr = os.Stderr
	out, err := c.Output()
	require.NoError(t, err)
	path, size, ok := strings.Cut(strings.TrimSpace(string(out)), "\t")
	require.True(t, ok, "%s", out)
	t.Logf("%s: %s", filepath.Base(path), size)
	return path
}

// The tarball runs in a root with nothing but Debian's base, which is read-only, by a user without rights and without
// HOME, and its sums are those of its files.
func TestTheTarballRunsInABareRoot(t *testing.T) {
	archive := makePackage(t, "tarball")
	if os.Getuid() != 0 {
		t.Skip("a root of its own needs the rights to make one (root)")
	}
	for _, tool := range []string{"debootstrap", "unshare"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("a bare root needs %s: %v", tool, err)
		}
	}
	root := t.TempDir()
	if out, err := exec.Command("debootstrap", "--variant=minbase", "bookworm", root).CombinedOutput(); err != nil {
		t.Skipf("debootstrap cannot make a root here: %v: %s", err, lastLine(out))
	}
	opt := filepath.Join(root, "opt")
	out, err := exec.Command("tar", "-C", opt, "-xzf", archive).CombinedOutput()
	require.NoError(t, err, "%s", out)
	name := strings.TrimSuffix(filepath.Base(archive), ".tar.gz")
	sums := exec.Command("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS")
	sums.Dir = filepath.Join(opt, name)
	out, err = sums.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for _, tool := range []string{"go", "python3", "gcc"} {
		assert.NoFileExists(t, filepath.Join(root, "usr", "bin", tool))
	}

	run := func(command string) (string, error) {
		script := fmt.Sprintf(`set -e
mount --bind %[1]s %[1]s
mount -o remount,ro,bind %[1]s
mount -t proc proc %[1]s/proc
mount -t tmpfs tmpfs %[1]s/tmp
chmod 1777 %[1]s/tmp
exec chroot --userspec=65534:65534 %[1]s /usr/bin/env -i /bin/sh -c 'cd /tmp; %[2]s'`, root, command)
		out, err := exec.Command("unshare", "--mount", "sh", "-c", script).CombinedOutput()
		return string(out), err
	}
	bwlm := "/opt/" + name + "/bin/bwlm"
	text, err := run("id -u; test ! -w /opt && echo read-only; echo HOME=$HOME")
	if err != nil {
		t.Skipf("mounts are not permitted here: %v: %s", err, text)
	}
	require.Equal(t, "65534\nread-only\nHOME=\n", text)
	text, err = run(bwlm + " version")
	require.NoError(t, err, text)
	assert.Contains(t, text, "\nlibtorch 2.")
	text, err = run(bwlm + " doctor")
	require.NoError(t, err, text)
	assert.Regexp(t, `self-test +one training step on cpu: right`, text)
	assert.Contains(t, text, "/opt/"+name+"/lib/libtorch_cpu.so")
	text, err = run(bwlm + " version --licences")
	require.NoError(t, err, text)
	for _, want := range []string{"Apache License", "The Go Authors", "nvidia-cuda-runtime", "PyTorch"} {
		assert.Contains(t, text, want)
	}
	text, err = run(bwlm + " demo --out /tmp/demo && ls /tmp/demo")
	require.NoError(t, err, text)
	assert.Contains(t, text, "report.html")
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
