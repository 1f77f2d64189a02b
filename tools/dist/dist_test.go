package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The fetched libtorch is laid out as in the tarball: each library must find all that it names.
func TestTheLibrariesOfLibtorchAreAClosedSet(t *testing.T) {
	dir := t.TempDir()
	lib := filepath.Join(dir, "lib")
	require.NoError(t, os.Mkdir(lib, 0o755))
	_, wheels, err := readLock("../../third_party/libtorch.lock")
	require.NoError(t, err)
	for _, p := range wheels {
		for _, glob := range p.Members {
			below, ok := strings.CutPrefix(glob, "torch/lib/")
			path := filepath.Join("../../third_party/libtorch/lib", below)
			if !ok {
				path = filepath.Join("../../third_party", glob)
			}
			if !strings.Contains(filepath.Base(glob), ".so") {
				continue
			}
			from, err := filepath.EvalSymlinks(path)
			require.NoError(t, err)
			abs, err := filepath.Abs(from)
			require.NoError(t, err)
			require.NoError(t, os.Symlink(abs, filepath.Join(lib, filepath.Base(glob))))
		}
	}
	// closure reads regular files; links here would be skipped
	entries, err := os.ReadDir(lib)
	require.NoError(t, err)
	require.Len(t, entries, 5)
	var all []error
	for _, e := range entries {
		path := filepath.Join(lib, e.Name())
		f, err := elf.Open(path)
		require.NoError(t, err)
		all = append(all, missing(dir, path, f, nil)...)
		require.NoError(t, f.Close())
	}
	assert.Empty(t, all)
	require.NoError(t, os.Remove(filepath.Join(lib, "libgomp.so.1")))
	cpu := filepath.Join(lib, "libtorch_cpu.so")
	f, err := elf.Open(cpu)
	require.NoError(t, err)
	defer f.Close()
	lost := missing(dir, cpu, f, nil)
	require.Len(t, lost, 1)
	assert.EqualError(t, lost[0], cpu+": needs libgomp.so.1, which is neither in the package nor in a base system")
	assert.Empty(t, missing(dir, cpu, f, []string{"libgomp.so.1"}))
}

// A library outside the package does not count, though the search path of the file leads there.
func TestALibraryOutsideThePackageIsMissing(t *testing.T) {
	dir := t.TempDir()
	build(t, filepath.Join(dir, "libother.so"), "int other(void) { return 1; }")
	build(t, filepath.Join(dir, "package", "lib", "libmine.so"), "int other(void); int mine(void) { return other(); }",
		"-L"+dir, "-lother", "-Wl,-rpath,$ORIGIN/../..:$ORIGIN")
	_, err := closure(filepath.Join(dir, "package"))
	require.ErrorContains(t, err, "libmine.so: needs libother.so")
	build(t, filepath.Join(dir, "package", "lib", "libother.so"), "int other(void) { return 1; }")
	want, err := closure(filepath.Join(dir, "package"))
	require.NoError(t, err)
	assert.NotNil(t, want)
	build(t, filepath.Join(dir, "package", "lib", "libmath.so"),
		"double cos(double); double mine(double x) { return cos(x); }", "-lm")
	want, err = closure(filepath.Join(dir, "package"))
	require.NoError(t, err)
	assert.Equal(t, "2.2.5", want["GLIBC"], "the symbol version of cos on x86-64")
}

func build(t *testing.T, path, source string, flags ...string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	c := exec.Command("gcc", append([]string{"-shared", "-fPIC", "-Wl,--no-as-needed", "-o", path, "-x", "c", "-", "-x",
		"none"}, flags...)...)
	c.Stdin = strings.NewReader(source)
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestVersionsCompareByNumbers(t *testing.T) {
	assert.True(t, newer("2.34", "2.4"))
	assert.True(t, newer("2.2.5", "2.2"))
	assert.True(t, newer("2", ""))
	assert.False(t, newer("2.34", "2.34"))
}

func TestPythonVersions(t *testing.T) {
	for version, want := range map[string]string{
		"v0.1.0":                   "0.1.0",
		"v0.1.0-unknown":           "0.1.0+unknown",
		"v1.2.3-14-gabc1234":       "1.2.3.post14+gabc1234",
		"v1.2.3-14-gabc1234-dirty": "1.2.3.post14+gabc1234.dirty",
		"v1.2.3-dirty":             "1.2.3+dirty",
	} {
		got, err := pep440(version)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := pep440("main")
	assert.Error(t, err)
}

// Every module of the command has a licence that the classification knows.
func TestModulesHaveLicences(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "bwlm")
	out, err := exec.Command("go", "build", "-tags", "libtorch_dlopen", "-o", binary,
		"github.com/brainwavlm/bwlm/cmd/bwlm").CombinedOutput()
	require.NoError(t, err, "%s", out)
	parts, err := modules(binary, "go")
	require.NoError(t, err)
	licences := map[string]string{}
	for _, c := range parts {
		licences[c.Name] = c.Licence
		assert.NotEmpty(t, c.Version, c.Name)
	}
	for name, want := range map[string]string{ // read by hand
		"stdlib":                           "BSD-3-Clause",
		"github.com/spf13/cobra":           "Apache-2.0",
		"github.com/rivo/uniseg":           "MIT",
		"github.com/mewkiz/flac":           "Unlicense",
		"github.com/golang/freetype":       "FTL OR GPL-2.0-or-later",
		"codeberg.org/go-fonts/liberation": "BSD-3-Clause AND OFL-1.1",
		"go.yaml.in/yaml/v3":               "Apache-2.0 AND MIT",
		"gonum.org/v1/gonum":               "BSD-3-Clause",
	} {
		assert.Equal(t, want, licences[name], name)
	}
	assert.Empty(t, classify([]text{{"LICENSE", "All rights reserved."}}))
	page := licencePage("OWN", parts)
	assert.Contains(t, page, "\nbwlm\n"+strings.Repeat("=", 80)+"\n\nOWN\n")
	assert.Contains(t, page, "Copyright 2009 The Go Authors")

	bill, err := newSBOM("bwlm-1", "v1", time.Unix(1e9, 0), append(parts,
		component{Name: "nvidia-x", Version: "13", Licence: "LicenseRef-nvidia-x", SHA256: "ab",
			PURL: "pkg:pypi/nvidia-x@13", Texts: []text{{"License.txt", "an agreement"}}}))
	require.NoError(t, err)
	again, err := newSBOM("bwlm-1", "v1", time.Unix(1e9, 0), parts)
	require.NoError(t, err)
	assert.NotEqual(t, bill, again)
	var d sbom
	require.NoError(t, json.Unmarshal(bill, &d))
	assert.Equal(t, "2001-09-09T01:46:40Z", d.Creation.Created)
	assert.Len(t, d.Packages, len(parts)+2)
	assert.Equal(t, []sbomLicence{{"LicenseRef-nvidia-x", "License.txt\n\nan agreement\n"}}, d.Extracted)
	ids := map[string]bool{"SPDXRef-DOCUMENT": true}
	for _, p := range d.Packages {
		assert.Regexp(t, `^SPDXRef-[A-Za-z0-9.-]+$`, p.ID)
		assert.False(t, ids[p.ID], p.ID)
		ids[p.ID] = true
	}
	for _, r := range d.Relationships {
		assert.True(t, ids[r.From] && ids[r.To], r)
	}
}

// Packing twice gives the same bytes, whatever the times and owners of the files.
func TestPackagesHaveTheSameBytes(t *testing.T) {
	made := time.Unix(1.7e9, 0)
	pack := func(changed time.Time) (tar, wheel []byte) {
		s := &stage{dir: t.TempDir()}
		require.NoError(t, s.write("bin/bwlm", strings.NewReader("program"), 0o755))
		require.NoError(t, s.writeText("share/licences.txt", "text"))
		require.NoError(t, os.Chtimes(filepath.Join(s.dir, "bin", "bwlm"), changed, changed))
		require.NoError(t, s.sums())
		var b, z bytes.Buffer
		require.NoError(t, s.pack(&b, "bwlm-1", made))
		require.NoError(t, s.zip(&z, options{made: made}))
		sums, err := os.ReadFile(filepath.Join(s.dir, "SHA256SUMS"))
		require.NoError(t, err)
		assert.Equal(t, 2, strings.Count(string(sums), "\n"))
		return b.Bytes(), z.Bytes()
	}
	tar1, wheel1 := pack(time.Unix(1e9, 0))
	tar2, wheel2 := pack(time.Unix(1.1e9, 0))
	assert.Equal(t, tar1, tar2)
	assert.Equal(t, wheel1, wheel2)
	z, err := zip.NewReader(bytes.NewReader(wheel1), int64(len(wheel1)))
	require.NoError(t, err)
	modes := map[string]os.FileMode{}
	for _, f := range z.File {
		modes[f.Name] = f.Mode().Perm()
	}
	assert.Equal(t, map[string]os.FileMode{"bin/bwlm": 0o755, "share/licences.txt": 0o644, "SHA256SUMS": 0o644}, modes)
}

func TestADamagedWheelOfLibtorchIsRefused(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "torch.whl"), []byte("no wheel"), 0o644))
	_, err := pinned{File: "torch.whl", SHA256: strings.Repeat("0", 64)}.open(dir)
	assert.ErrorContains(t, err, "is not the pinned")
	_, err = pinned{File: "other.whl"}.open(dir)
	assert.ErrorIs(t, err, os.ErrNotExist)
}
