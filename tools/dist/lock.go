package main

import (
	"archive/zip"
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// pinned is a wheel line of a lock of libtorch for a CPU.
type pinned struct {
	Package, Version, SHA256, File string
	Members                        []string // globs
}

// readLock returns the version of a lock and its wheels for a CPU.
func readLock(path string) (version string, wheels []pinned, err error) {
	f, err := os.Open(path)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) == 2 && words[0] == "version":
			version = words[1]
		case len(words) >= 8 && words[0] == "wheel" && words[1] == "cpu":
			wheels = append(wheels, pinned{words[2], words[3], words[4], words[6], words[7:]})
		}
	}
	if version == "" || len(wheels) == 0 {
		return "", nil, fmt.Errorf("%s: no version or no wheels for a CPU", path)
	}
	return version, wheels, lines.Err()
}

// open returns the checked wheel in the folder cache.
func (p pinned) open(cache string) (*zip.ReadCloser, error) {
	file := filepath.Join(cache, p.File)
	sum, err := sumOf(file)
	if err != nil {
		return nil, fmt.Errorf("%w; scripts/fetch_libtorch.sh --download brings it", err)
	}
	if sum != p.SHA256 {
		return nil, fmt.Errorf("%s: SHA-256 %s is not the pinned %s", file, sum, p.SHA256)
	}
	return zip.OpenReader(file)
}

// libraries returns the members of the wheel that are libraries for a CPU.
func (p pinned) libraries(wheel *zip.Reader) ([]*zip.File, error) {
	var found []*zip.File
	for _, glob := range p.Members {
		if !strings.Contains(path.Base(glob), ".so") {
			continue
		}
		n := len(found)
		for _, f := range wheel.File {
			if ok, err := path.Match(glob, f.Name); err != nil {
				return nil, err
			} else if ok {
				found = append(found, f)
			}
		}
		if len(found) == n {
			return nil, fmt.Errorf("%s: no member %s", p.File, glob)
		}
	}
	return found, nil
}

// licence returns the licence of the wheel by SPDX's name, and the texts in its metadata. What is no expression of SPDX
// gets a name of its own.
func (p pinned) licence(wheel *zip.Reader) (string, []text, error) {
	var texts []text
	name := ""
	for _, f := range wheel.File {
		if strings.HasSuffix(f.Name, ".dist-info/METADATA") {
			t, err := readMember(f)
			if err != nil {
				return "", nil, err
			}
			name = metadataLicence(t)
		}
		if _, below, ok := strings.Cut(f.Name, ".dist-info/licenses/"); ok && !strings.HasSuffix(f.Name, "/") {
			t, err := readMember(f)
			if err != nil {
				return "", nil, err
			}
			texts = append(texts, text{below, t})
		}
	}
	if len(texts) == 0 {
		return "", nil, fmt.Errorf("%s: no licence text in it", p.File)
	}
	if name == "" {
		name = "LicenseRef-" + p.Package
	}
	return name, texts, nil
}

// metadataLicence returns the licence expression of a METADATA, "" if it has none.
func metadataLicence(metadata string) string {
	head, _, _ := strings.Cut(metadata, "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		if name, ok := strings.CutPrefix(line, "License-Expression: "); ok {
			return strings.TrimSpace(name)
		}
		if line == "License: BSD-3-Clause" {
			return "BSD-3-Clause"
		}
	}
	return ""
}

func readMember(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, 16<<20))
	return string(b), err
}

// sumOf returns the SHA-256 of a file in hexadecimal.
func sumOf(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
