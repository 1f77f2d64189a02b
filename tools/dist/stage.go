package main

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// stage is the folder in which a package is laid out: bin, lib, share.
type stage struct {
	dir   string
	parts []component
}

// newStage empties dir and puts the program and its bindings into it.
func newStage(dir, binary string, bindings []string) (*stage, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	s := &stage{dir: dir}
	if err := s.copyFile("bin/bwlm", binary, 0o755); err != nil {
		return nil, err
	}
	for _, b := range bindings {
		if err := s.copyFile("lib/"+filepath.Base(b), b, 0o755); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) copyFile(name, from string, mode os.FileMode) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return s.write(name, f, mode)
}

func (s *stage) writeText(name, text string) error {
	return s.write(name, strings.NewReader(text), 0o644)
}

func (s *stage) write(name string, from io.Reader, mode os.FileMode) error {
	to := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, from); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", to, err)
	}
	return f.Close()
}

// addLibtorch copies the libraries of the pinned wheels to lib and notes the wheels as components.
func (s *stage) addLibtorch(wheels []pinned, cache string) error {
	for _, p := range wheels {
		if err := s.addWheel(p, cache); err != nil {
			return err
		}
	}
	return nil
}

func (s *stage) addWheel(p pinned, cache string) error {
	wheel, err := p.open(cache)
	if err != nil {
		return err
	}
	defer wheel.Close()
	libs, err := p.libraries(&wheel.Reader)
	if err != nil {
		return err
	}
	for _, lib := range libs {
		if err := s.extract("lib/"+path.Base(lib.Name), lib); err != nil {
			return err
		}
	}
	c := component{Name: p.Package, Version: p.Version, SHA256: p.SHA256,
		PURL: "pkg:pypi/" + p.Package + "@" + p.Version}
	if c.Licence, c.Texts, err = p.licence(&wheel.Reader); err != nil {
		return err
	}
	s.parts = append(s.parts, c)
	return nil
}

func (s *stage) extract(name string, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	return s.write(name, r, 0o755)
}
