package main

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
)

const readme = `bwlm %s for Linux x86-64, with libtorch %s for CPUs.

    bin/bwlm doctor          # the program finds its libraries beside it, wherever this folder lies
    bin/bwlm demo --out /tmp/demo
    bin/bwlm version --licences

It needs glibc %s or later and the C++ runtime (libstdc++ with GLIBCXX_%s), as in Debian 12 and Ubuntu 22.04, and no Go,
Python, network or home folder. The folder may be read-only. SHA256SUMS has the sum of each file (sha256sum -c), and
share/sbom.spdx.json lists what is in it. No model weights are in it.
`

// tarball lays a package out below out and packs it; it returns the path of the archive.
func tarball(o options) (string, error) {
	version, wheels, err := readLock(o.lock)
	if err != nil {
		return "", err
	}
	name := "bwlm-" + strings.TrimPrefix(o.version, "v") + "-linux-x86_64"
	s, err := newStage(filepath.Join(o.out, name), o.binary, o.bindings)
	if err != nil {
		return "", err
	}
	if err := s.addLibtorch(wheels, o.cache); err != nil {
		return "", err
	}
	if err := s.document(name, o); err != nil {
		return "", err
	}
	want, err := closure(s.dir)
	if err != nil {
		return "", err
	}
	about := fmt.Sprintf(readme, o.version, version, want["GLIBC"], want["GLIBCXX"])
	if err := s.writeText("README", about); err != nil {
		return "", err
	}
	if err := s.sums(); err != nil {
		return "", err
	}
	archive := filepath.Join(o.out, name+".tar.gz")
	return archive, atomicfile.Write(archive, func(w io.Writer) error { return s.pack(w, name, o.made) })
}

// document adds what says what the package contains: licences, the bill of materials.
func (s *stage) document(name string, o options) error {
	mods, err := modules(o.binary, o.goTool)
	if err != nil {
		return err
	}
	s.parts = append(mods, s.parts...)
	own, err := os.ReadFile(o.licence)
	if err != nil {
		return err
	}
	bill, err := newSBOM(name, o.version, o.made, s.parts)
	if err != nil {
		return err
	}
	if err := s.writeText("LICENSE", string(own)); err != nil {
		return err
	}
	if err := s.writeText("share/licences.txt", licencePage(string(own), s.parts)); err != nil {
		return err
	}
	return s.writeText("share/sbom.spdx.json", string(bill))
}

// files returns the files of the package in order, with slashes.
func (s *stage) files() ([]string, error) {
	var names []string
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		names = append(names, filepath.ToSlash(rel))
		return err
	})
	slices.Sort(names)
	return names, err
}

// sums writes SHA256SUMS in the form of sha256sum.
func (s *stage) sums() error {
	names, err := s.files()
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, name := range names {
		sum, err := sumOf(filepath.Join(s.dir, name))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", sum, name)
	}
	return s.writeText("SHA256SUMS", b.String())
}

// pack writes the package as a gzipped tar below a folder called name: sorted, with one time and no owner.
func (s *stage) pack(w io.Writer, name string, made time.Time) error {
	names, err := s.files()
	if err != nil {
		return err
	}
	z := gzip.NewWriter(w)
	t := tar.NewWriter(z)
	folders := map[string]bool{}
	for _, n := range names {
		for _, dir := range foldersOf(path.Join(name, n)) {
			if folders[dir] {
				continue
			}
			folders[dir] = true
			h := &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755, ModTime: made}
			if err := t.WriteHeader(h); err != nil {
				return err
			}
		}
		if err := s.packFile(t, name, n, made); err != nil {
			return err
		}
	}
	if err := t.Close(); err != nil {
		return err
	}
	return z.Close()
}

// foldersOf returns the folders above a file, outermost first.
func foldersOf(name string) []string {
	var all []string
	for i, r := range name {
		if r == '/' {
			all = append(all, name[:i])
		}
	}
	return all
}

func (s *stage) packFile(t *tar.Writer, under, name string, made time.Time) error {
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	mode := int64(0o644)
	if info.Mode()&0o100 != 0 {
		mode = 0o755
	}
	err = t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path.Join(under, name), Mode: mode, Size: info.Size(),
		ModTime: made})
	if err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}
