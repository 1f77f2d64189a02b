package torch

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const bindingName = "libbwlm_torch" // made by scripts/build_binding.sh

// findBindings returns the bindings beside a program in dir and in ../lib: bindingName+".so", built for one version of
// libtorch, and bindingName+"-2.11.so" and so on, one for each minor version.
func findBindings(dir string) []string {
	var found []string
	for _, d := range []string{dir, filepath.Join(dir, "..", "lib")} {
		for _, pattern := range []string{bindingName + "-[0-9]*.so", bindingName + ".so"} {
			names, _ := filepath.Glob(filepath.Join(d, pattern)) // the pattern is well-formed
			found = append(found, slices.DeleteFunc(names, func(path string) bool { return !exists(path) })...)
		}
	}
	return found
}

// fitting returns the bindings that may go with a libtorch of a minor version, "" if that is unknown: those of that
// version, and those without one in their name.
func fitting(bindings []string, minor string) []string {
	var fit []string
	for _, b := range bindings {
		if of := minorOfName(b); of == "" || of == minor {
			fit = append(fit, b)
		}
	}
	return fit
}

// minors returns the versions in the names of bindings, in ascending order.
func minors(bindings []string) []string {
	var all []string
	for _, b := range bindings {
		if of := minorOfName(b); of != "" {
			all = append(all, of)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func minorOfName(path string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), bindingName), ".so")
	return strings.TrimPrefix(name, "-")
}

// minorOf returns the minor version, such as 2.15, of a packed version; "" for 0.
func minorOf(packed uint64) string {
	if packed == 0 {
		return ""
	}
	return fmt.Sprintf("%d.%d", packed>>56, packed>>48&0xff)
}

func exists(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
