package analysisplan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// TestRead is one line of OUT.test_reads.jsonl.
type TestRead struct {
	Time     time.Time `json:"time"`
	By       string    `json:"by"`                 // the command
	What     string    `json:"what"`               // was scored
	Subjects []string  `json:"subjects,omitempty"` // whose test rows
	Changed  []string  `json:"changed,omitempty"`  // what differed from the plan: the read was refused
}

// files returns the paths of the plan and of the test reads of a run directory.
func files(out string) (plan, reads string) {
	out = filepath.Clean(out)
	return out + ".analysis_plan.json", out + ".test_reads.jsonl"
}

// Hash returns the SHA-256 of a value as JSON, with the keys of maps in order.
func Hash(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("analysisplan: %v", err)) // numbers and names encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// digest returns the hash of the locked content.
func digest(s *results.AnalysisPlan) string {
	all := []any{s.Schema, s.Splits, s.Masks, s.Endpoints}
	if len(s.Margins) > 0 {
		all = append(all, s.Margins)
	}
	return Hash(all)
}

// Check reports why the plan of a run directory cannot be locked; nil if it can. A directory with a
// run or a plan is a fault of kind Exists.
func Check(out string, s *results.AnalysisPlan) error {
	path, _ := files(out)
	switch {
	case s.Endpoints.Sides != 1 && s.Endpoints.Sides != 2:
		return fault.New(fault.Usage, "lock analysis", "sides", "%d, want 1 or 2", s.Endpoints.Sides)
	case !(s.Endpoints.Delta >= 0 && s.Endpoints.Delta < 1):
		return fault.New(fault.Usage, "lock analysis", "delta", "%g, want at least 0 and less than 1",
			s.Endpoints.Delta)
	}
	if there(path) {
		return fault.New(fault.Exists, "lock analysis", path,
			"the analysis is locked already").WithHint("give a changed experiment another out")
	}
	if there(filepath.Join(out, "config.yaml")) {
		return fault.New(fault.Exists, "lock analysis", out,
			"the training has begun: it is too late to lock the analysis").
			WithHint("lock before the training, with another out")
	}
	if there(filepath.Join(out, "eval", "summary.json")) {
		return fault.New(fault.Exists, "lock analysis", out,
			"the test rows have been scored: it is too late to lock the analysis").
			WithHint("choose other test rows and another out")
	}
	return nil
}

// Lock writes the plan of a run directory that [Check] admits.
func Lock(out string, s *results.AnalysisPlan) error {
	if err := Check(out, s); err != nil {
		return err
	}
	path, _ := files(out)
	s.Schema, s.Time = 1, time.Now().UTC().Truncate(time.Second)
	s.SHA256 = digest(s)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Wrap(fault.IO, "lock analysis", path, err)
	}
	return jsonfile.Write(path, s)
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Read returns the plan of a run directory; nil if there is none. A plan that does not fit its own hash is a fault.
func Read(out string) (*results.AnalysisPlan, error) {
	path, _ := files(out)
	if old := filepath.Clean(out) + ".seal.json"; there(old) {
		return nil, fault.New(fault.BadData, "read analysis plan", old, "an earlier version of bwlm wrote this plan").
			WithHint("give the experiment another out, and lock its analysis anew")
	}
	s := &results.AnalysisPlan{}
	err := jsonfile.ReadOwn("read analysis plan", filepath.Dir(path), filepath.Base(path), s)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENAMETOOLONG): // of the longest name of a run
		return nil, nil
	case err != nil:
		return nil, err
	}
	if digest(s) != s.SHA256 {
		return nil, fault.New(fault.BadData, "read analysis plan", path,
			"the content does not fit its hash: it was changed after locking").
			WithHint("restore the locked file")
	}
	return s, nil
}

// RecordTestRead counts a read of the test rows of a run directory, with the splits and masks as
// they are now. It returns nil, nil where no analysis is locked. A read with splits or masks that
// differ from the plan is refused, a fault of kind BadData, and counted. Subjects and ROIs that are
// not in the plan may be read.
func RecordTestRead(out string, read TestRead, splits, masks map[string]string) (*results.PlanStatus, error) {
	s, err := Read(out)
	if s == nil || err != nil {
		return nil, err
	}
	path, reads := files(out)
	for what, pair := range map[string][2]map[string]string{"splits of ": {s.Splits, splits},
		"mask ": {s.Masks, masks}} {
		for _, name := range slices.Sorted(maps.Keys(pair[1])) {
			if was, locked := pair[0][name]; locked && was != pair[1][name] {
				read.Changed = append(read.Changed, what+name)
			}
		}
	}
	slices.Sort(read.Changed)
	if err := Append(reads, read); err != nil {
		return nil, err
	}
	if len(read.Changed) > 0 {
		return nil, fault.New(fault.BadData, "read test rows", path, "%v changed since the analysis was locked on %s",
			read.Changed, s.Time.Format(time.RFC3339)).
			WithHint("restore the locked splits and masks, or give the changed experiment another out")
	}
	st := &results.PlanStatus{Time: s.Time, SHA256: s.SHA256, Endpoints: s.Endpoints}
	if slices.Equal(slices.Sorted(maps.Keys(s.Splits)), slices.Sorted(slices.Values(read.Subjects))) {
		st.Margins = s.Margins
	}
	all, err := TestReads(out)
	for _, l := range all {
		if len(l.Changed) > 0 {
			st.Refused++
		} else {
			st.TestReads++
		}
	}
	return st, err
}

// Append adds a read of the test rows, with the time, to a file of them.
func Append(file string, read TestRead) error {
	read.Time = time.Now().UTC().Truncate(time.Second)
	_, err := jsonfile.AppendLine("count test read", file, read)
	return err
}

// TestReads returns all reads of the test rows of a run directory since its analysis was locked.
func TestReads(out string) (reads []TestRead, err error) {
	_, path := files(out)
	reads, err = jsonfile.ReadLines[TestRead]("read test reads", path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return reads, err
}
