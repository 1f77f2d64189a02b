package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
)

// torchLibraries are those that come with PyTorch, which the wheel takes from its environment.
var torchLibraries = []string{"libtorch_cpu.so", "libc10.so", "libgomp.so.1"}

const metadata = `Metadata-Version: 2.4
Name: bwlm
Version: %s
Summary: Fine-tune speech models on brain responses, and measure what that changes
License-Expression: Apache-2.0
License-File: LICENSE
Project-URL: Source, https://github.com/brainwavlm/bwlm
Requires-Python: >=3.9
Requires-Dist: torch%s
Requires-Dist: numpy
Provides-Extra: tables
Requires-Dist: pandas; extra == "tables"
Provides-Extra: images
Requires-Dist: nibabel; extra == "images"
Description-Content-Type: text/plain

The program bwlm, which tunes speech models so that they predict fMRI, and a module that reads its runs:

    bwlm demo --out demo
    python -c 'import bwlm; print(bwlm.load_run("demo/whole_cortex"))'

It computes with the libtorch of the PyTorch that is installed beside it.
`

const wheelFile = `Wheel-Version: 1.0
Generator: bwlm tools/dist
Root-Is-Purelib: false
Tag: py3-none-%s
`

const entryPoints = "[console_scripts]\nbwlm = bwlm._command:main\n"

// wheel lays a wheel out below out and packs it; it returns its path.
func wheel(o options) (string, error) {
	version, err := pep440(o.version)
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("bwlm-%s-py3-none-%s", version, o.platform)
	module, err := newStage(filepath.Join(o.out, name, "bwlm"), o.binary, o.bindings)
	if err != nil {
		return "", err
	}
	if _, err := closure(module.dir, torchLibraries...); err != nil {
		return "", err
	}
	if err := module.document(name, o); err != nil {
		return "", err
	}
	if err := os.Remove(filepath.Join(module.dir, "LICENSE")); err != nil { // it goes where wheels have it
		return "", err
	}
	if err := module.addPython(o.python); err != nil {
		return "", err
	}
	s := &stage{dir: filepath.Dir(module.dir)}
	info := "bwlm-" + version + ".dist-info/"
	if err := s.copyFile(info+"licenses/LICENSE", o.licence, 0o644); err != nil {
		return "", err
	}
	for file, text := range map[string]string{
		"METADATA": fmt.Sprintf(metadata, version, o.torches), "WHEEL": fmt.Sprintf(wheelFile, o.platform),
		"entry_points.txt": entryPoints,
	} {
		if err := s.writeText(info+file, text); err != nil {
			return "", err
		}
	}
	if err := s.record(info + "RECORD"); err != nil {
		return "", err
	}
	file := filepath.Join(o.out, name+".whl")
	return file, atomicfile.Write(file, func(w io.Writer) error { return s.zip(w, o) })
}

// addPython copies the modules of the Python package.
func (s *stage) addPython(dir string) error {
	modules, err := filepath.Glob(filepath.Join(dir, "*.py"))
	if err != nil {
		return err
	}
	if len(modules) == 0 {
		return fmt.Errorf("%s: no Python modules", dir)
	}
	for _, m := range modules {
		if err := s.copyFile(filepath.Base(m), m, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// record writes RECORD: name, SHA-256 and size of each file.
func (s *stage) record(record string) error {
	names, err := s.files()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, name := range names {
		f, err := os.Open(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		h := sha256.New()
		n, err := io.Copy(h, f)
		f.Close()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(h.Sum(nil)), n)
	}
	return s.writeText(record, b.String()+record+",,\n")
}

func (s *stage) zip(w io.Writer, o options) error {
	names, err := s.files()
	if err != nil {
		return err
	}
	z := zip.NewWriter(w)
	for _, name := range names {
		f, err := os.Open(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		h := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: o.made}
		h.SetMode(info.Mode().Perm()&0o755 | 0o644)
		to, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := io.Copy(to, f); err != nil {
			return err
		}
	}
	return z.Close()
}

// described matches what git describe prints of a tag vX.Y.Z, with commits since then.
var described = regexp.MustCompile(`^v(\d+\.\d+\.\d+)(?:-(\d+)-g([0-9a-f]+))?(-dirty|-unknown)?$`)

// pep440 returns a version of bwlm as Python writes it: commits after a tag are a post-release.
func pep440(version string) (string, error) {
	m := described.FindStringSubmatch(version)
	if m == nil {
		return "", fmt.Errorf("version %s: not vX.Y.Z, nor what git describe prints after it", version)
	}
	release, local := m[1], strings.TrimPrefix(m[4], "-")
	if m[2] != "" {
		release += ".post" + m[2]
		local = strings.TrimSuffix("g"+m[3]+"."+local, ".")
	}
	if local != "" {
		release += "+" + local
	}
	return release, nil
}
