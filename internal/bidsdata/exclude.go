package bidsdata

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// excludeFile lists scans that the authors of Narratives leave out: by task and subject, the beginnings of the names
// of their files.
const excludeFile = "code/scan_exclude.json"

// readExcluded reads the list of scans to leave out, if there is one.
func (t *Tree) readExcluded() error {
	if !t.has(excludeFile) {
		return nil
	}
	var tasks map[string]map[string][]string
	if err := jsonfile.Read("read excluded scans", t.path(excludeFile), &tasks); err != nil {
		return err
	}
	for _, subjects := range tasks {
		for _, scans := range subjects {
			t.excluded = append(t.excluded, scans...)
		}
	}
	slices.Sort(t.excluded)
	if len(t.excluded) > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("%s lists %d scans to leave out", excludeFile, len(t.excluded)))
	}
	return nil
}

// leftOut reports whether the authors of a data set leave a scan out.
func (t *Tree) leftOut(file string) bool {
	base := path.Base(file)
	return slices.ContainsFunc(t.excluded, func(beginning string) bool {
		rest, ok := strings.CutPrefix(base, beginning)
		return ok && beginning != "" && (rest == "" || rest[0] == '_' || rest[0] == '.')
	})
}
