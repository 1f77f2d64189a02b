package main

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// base are the libraries of a Linux base system with glibc and a C++ runtime.
var base = []string{
	"ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libutil.so.1",
	"libstdc++.so.6", "libgcc_s.so.1",
}

// needs are the newest symbol versions that files want of the base system, by prefix: GLIBC, GLIBCXX.
type needs map[string]string

// closure checks that every ELF file below root finds the libraries that it names: in the package through its own
// search path, in the base system, or in others. It returns what the base system must have.
func closure(root string, others ...string) (needs, error) {
	want := needs{}
	var open []error
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		f, err := elf.Open(path)
		if err != nil {
			return nil //nolint:nilerr // a file that is no program names no library
		}
		defer f.Close()
		open = append(open, missing(root, path, f, others)...)
		return want.add(f, path)
	})
	return want, errors.Join(append(open, err)...)
}

// missing returns an error for each library that f, at path below root, names and does not find.
func missing(root, path string, f *elf.File, others []string) []error {
	libs, err := f.ImportedLibraries()
	if err != nil {
		return []error{fmt.Errorf("%s: %w", path, err)}
	}
	var places []string
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH} {
		lists, _ := f.DynString(tag) // none
		for _, list := range lists {
			for place := range strings.SplitSeq(list, ":") {
				place = strings.ReplaceAll(place, "$ORIGIN", filepath.Dir(path))
				if rel, err := filepath.Rel(root, place); err == nil && filepath.IsLocal(rel) {
					places = append(places, place)
				}
			}
		}
	}
	var errs []error
	for _, lib := range libs {
		inPackage := slices.ContainsFunc(places, func(dir string) bool {
			_, err := os.Stat(filepath.Join(dir, lib))
			return err == nil
		})
		if !inPackage && !slices.Contains(base, lib) && !slices.Contains(others, lib) {
			errs = append(errs, fmt.Errorf("%s: needs %s, which is neither in the package nor in a base system", path,
				lib))
		}
	}
	return errs
}

// add notes the symbol versions that f wants of the base system.
func (n needs) add(f *elf.File, path string) error {
	symbols, err := f.ImportedSymbols()
	if err != nil && !errors.Is(err, elf.ErrNoSymbols) {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, s := range symbols {
		if !slices.Contains(base, s.Library) {
			continue
		}
		prefix, version, _ := strings.Cut(s.Version, "_")
		if (prefix == "GLIBC" || prefix == "GLIBCXX") && newer(version, n[prefix]) {
			n[prefix] = version
		}
	}
	return nil
}

// newer reports whether a dotted version comes after another one; "" comes before all.
func newer(a, b string) bool {
	return slices.Compare(numbers(a), numbers(b)) > 0
}

func numbers(version string) []int {
	var n []int
	for part := range strings.SplitSeq(version, ".") {
		if i, err := strconv.Atoi(part); err == nil {
			n = append(n, i)
		}
	}
	return n
}
