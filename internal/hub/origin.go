package hub

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Origin is where on the hub the folder of a model comes from. What the folder does not tell is empty.
type Origin struct {
	ID       string // organisation/name
	Revision string // a commit
	Licence  string // that the model's card names
}

// snapshot matches the end of a folder in the hub's cache.
var snapshot = regexp.MustCompile(`models--([A-Za-z0-9._-]+?)--([A-Za-z0-9._-]+)/snapshots/([0-9a-f]{40})$`)

// commit matches what a download notes.
var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// OriginOf reads the origin of a model's folder: from its path in the hub's cache, or from what a download into another
// folder leaves in .cache/huggingface, and the licence from its card.
func OriginOf(dir string) Origin {
	var o Origin
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	if m := snapshot.FindStringSubmatch(filepath.ToSlash(dir)); m != nil {
		o.ID, o.Revision = m[1]+"/"+m[2], m[3]
	}
	notes, _ := filepath.Glob(filepath.Join(dir, ".cache", "huggingface", "download", "*.metadata"))
	if len(notes) > 0 {
		if line := firstLine(notes[0]); o.Revision == "" && commit.MatchString(line) {
			o.Revision = line
		}
	}
	o.Licence = cardLicence(filepath.Join(dir, "README.md"))
	return o
}

func firstLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Scan()
	return strings.TrimSpace(s.Text())
}

// cardLicence returns the licence in the front matter of a model's card; "" without one.
func cardLicence(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for n := 0; s.Scan() && n < 200; n++ {
		line := strings.TrimRight(s.Text(), " ")
		if n == 0 && line != "---" || n > 0 && line == "---" {
			return ""
		}
		if value, ok := strings.CutPrefix(line, "license:"); ok {
			return strings.Trim(strings.TrimSpace(value), `"'`)
		}
	}
	return ""
}
