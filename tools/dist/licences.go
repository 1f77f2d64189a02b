package main

import (
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// component is a part of a package that others wrote.
type component struct {
	Name, Version string
	Licence       string // an expression of SPDX
	PURL          string
	SHA256        string // of the file that it came in; "" for modules
	Texts         []text
}

// text is a licence text and the name of its file.
type text struct{ Name, Text string }

// licenceFile matches the names of licence texts at the top of a module.
var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]es?|copying|notice|patents|third_party_licenses)([-.].*)?$`)

// modules returns the Go modules in a program, and Go's standard library. goTool is the go command.
func modules(binary, goTool string) ([]component, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	dirs, err := moduleDirs(goTool)
	if err != nil {
		return nil, err
	}
	goroot, err := exec.Command(goTool, "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("%s env GOROOT: %w", goTool, err)
	}
	std := component{Name: "stdlib", Version: strings.TrimPrefix(info.GoVersion, "go")}
	found := []component{std}
	dirs["stdlib"] = strings.TrimSpace(string(goroot))
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		found = append(found, component{Name: m.Path, Version: m.Version})
	}
	for i := range found {
		c := &found[i]
		c.PURL = "pkg:golang/" + c.Name + "@" + c.Version
		if c.Texts, err = licenceTexts(dirs[c.Name]); err != nil {
			return nil, fmt.Errorf("module %s: %w", c.Name, err)
		}
		if c.Licence = classify(c.Texts); c.Licence == "" {
			return nil, fmt.Errorf("module %s: no licence that is known in %s", c.Name, dirs[c.Name])
		}
	}
	return found, nil
}

// moduleDirs returns the folders of the modules of this build by their paths.
func moduleDirs(goTool string) (map[string]string, error) {
	out, err := exec.Command(goTool, "list", "-m", "-f", "{{.Path}}\t{{.Dir}}", "all").Output()
	if err != nil {
		return nil, fmt.Errorf("%s list -m all: %w", goTool, err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[path] = dir
	}
	return dirs, nil
}

// licenceTexts reads the licence texts of a module, those in a folder of licences included.
func licenceTexts(dir string) ([]text, error) {
	if dir == "" {
		return nil, fmt.Errorf("is not in the module cache; go mod download brings it")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var texts []text
	for _, e := range entries {
		if !licenceFile.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
			continue
		}
		err := filepath.WalkDir(filepath.Join(dir, e.Name()), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			name, _ := filepath.Rel(dir, path) // path is below dir
			texts = append(texts, text{name, string(b)})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// marks are sentences that only one licence has.
var marks = []struct{ name, mark string }{
	{"Apache-2.0", "apache license version 2.0"},
	{"Apache-2.0", "licensed under the apache license, version 2.0"},
	{"BSD-2-Clause", "redistribution and use in source and binary forms"},
	{"BSD-3-Clause", "may be used to endorse or promote products derived from this software"},
	{"CC-BY-4.0", "creative commons attribution 4.0"},
	{"MIT", "free of charge, to any person obtaining a copy of this software"},
	{"OFL-1.1", "sil open font license version 1.1"},
	{"Unlicense", "free and unencumbered software released into the public domain"},
	{"FTL OR GPL-2.0-or-later", "use of the freetype-go software is subject to your choice"},
}

// classify returns the licences at the top of a module as an expression of SPDX, "" if none is known.
func classify(texts []text) string {
	found := map[string]bool{}
	for _, t := range texts {
		if strings.Contains(t.Name, "/") { // the parts of a choice, or licences of parts
			continue
		}
		plain := strings.ToLower(strings.Join(strings.Fields(t.Text), " "))
		for _, m := range marks {
			if strings.Contains(plain, m.mark) {
				found[m.name] = true
			}
		}
	}
	if found["BSD-3-Clause"] {
		delete(found, "BSD-2-Clause")
	}
	var all []string
	for _, m := range marks {
		if found[m.name] {
			all = append(all, m.name)
			delete(found, m.name)
		}
	}
	return strings.Join(all, " AND ")
}

// licencePage is what bwlm version --licences prints: a table, then every text.
func licencePage(own string, parts []component) string {
	var b strings.Builder
	b.WriteString("bwlm is under the Apache License 2.0, the first text below. This package also contains:\n\n")
	for _, c := range parts {
		fmt.Fprintf(&b, "    %-50s %-45s %s\n", c.Name, c.Version, c.Licence)
	}
	section := func(title, text string) {
		rule := strings.Repeat("=", 80)
		fmt.Fprintf(&b, "\n%s\n%s\n%s\n\n%s\n", rule, title, rule, strings.Trim(text, "\n"))
	}
	section("bwlm", own)
	for _, c := range parts {
		for _, t := range c.Texts {
			section(c.Name+" "+c.Version+": "+t.Name, t.Text)
		}
	}
	return b.String()
}
