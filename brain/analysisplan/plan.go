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
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Endpoints are what a study will be judged by.
type Endpoints struct {
	ROIs  []string `json:"rois"`  // in the order of their importance; none: all voxels
	Test  string   `json:"test"`  // how, in words
	Sides int      `json:"sides"` // 1: tuned is better; 2: tuned differs
	Delta float64  `json:"delta"` // the largest loss that counts as none, as a share of the base score
}

// Margin is the largest loss that counts as none in a region, in r: Delta of what the untuned model reaches there on the
// validation rows. The test rows stay unseen, so the number is fixed before anything of them is.
type Margin struct {
	BaseR float64 `json:"base_validation_r"`
	Delta float64 `json:"delta_r"`
}

// Seal is the content of OUT.seal.json.
type Plan struct {
	Schema    int               `json:"schema"`
	Time      time.Time         `json:"time"`
	Splits    map[string]string `json:"splits_sha256"` // by person: of the rows of each split
	Masks     map[string]string `json:"masks_sha256"`  // by person/region: of the columns
	Endpoints Endpoints         `json:"endpoints"`
	Margins   map[string]Margin `json:"margins,omitempty"` // by region: endpoints and auditory cortex, where the untuned model reaches more than 0
	SHA256    string            `json:"sha256"`            // of all of the above but the time
}

// Look is one line of OUT.looks.jsonl.
type TestRead struct {
	Time     time.Time `json:"time"`
	By       string    `json:"by"`                 // the command
	What     string    `json:"what"`               // was scored
	Subjects []string  `json:"subjects,omitempty"` // whose test rows
	Changed  []string  `json:"changed,omitempty"`  // what was not as it was sealed: the look was refused
}

// Status is what a summary says of a seal.
type Status struct {
	Time      time.Time `json:"time"`
	SHA256    string    `json:"sha256"`
	Endpoints Endpoints `json:"endpoints"`
	TestReads int       `json:"test_reads"` // at test rows since then, this one included
	Refused   int       `json:"refused,omitempty"`

	Margins map[string]Margin `json:"margins,omitempty"` // those that were sealed, if the look is at the same people
}

// files are the seal and the looks of a run directory.
func files(out string) (sealed, looks string) {
	out = filepath.Clean(out)
	return out + ".seal.json", out + ".looks.jsonl"
}

// Hash is the SHA-256 of what a value is as JSON, whose maps have their keys in order.
func Hash(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("seal: %v", err)) // numbers and names encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// digest is the hash of what is sealed.
func (s *Plan) digest() string {
	all := []any{s.Schema, s.Splits, s.Masks, s.Endpoints}
	if len(s.Margins) > 0 {
		all = append(all, s.Margins)
	}
	return Hash(all)
}

// Check says why a run directory cannot be sealed; nil if it can. One that is there, or sealed, is a fault of kind Exists.
func Check(out string, s *Plan) error {
	path, _ := files(out)
	switch {
	case s.Endpoints.Sides != 1 && s.Endpoints.Sides != 2:
		return fault.New(fault.Usage, "seal", "sides", "%d, want 1 or 2", s.Endpoints.Sides)
	case !(s.Endpoints.Delta >= 0 && s.Endpoints.Delta < 1):
		return fault.New(fault.Usage, "seal", "delta", "%g, want at least 0 and less than 1", s.Endpoints.Delta)
	}
	if there(path) {
		return fault.New(fault.Exists, "seal", path, "the experiment is sealed already").WithHint("give a changed experiment another out")
	}
	if there(filepath.Join(out, "config.yaml")) {
		return fault.New(fault.Exists, "seal", out, "the training has begun: it is too late to seal it").
			WithHint("seal before bwlm train, with another out")
	}
	if there(filepath.Join(out, "eval", "summary.json")) {
		return fault.New(fault.Exists, "seal", out, "the test rows have been looked at: it is too late to seal it").
			WithHint("choose other test rows and another out")
	}
	return nil
}

// Write seals a run directory that [Check] admits.
func Lock(out string, s *Plan) error {
	if err := Check(out, s); err != nil {
		return err
	}
	path, _ := files(out)
	s.Schema, s.Time = 1, time.Now().UTC().Truncate(time.Second)
	s.SHA256 = s.digest()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fault.Wrap(fault.IO, "seal", path, err)
	}
	return jsonfile.Write(path, s)
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Read gives the seal of a run directory; nil if there is none. One that does not fit its own hash is a fault.
func Read(out string) (*Plan, error) {
	path, _ := files(out)
	s := &Plan{}
	err := jsonfile.Read("read seal", path, s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if s.digest() != s.SHA256 {
		return nil, fault.New(fault.BadData, "read seal", path, "the content does not fit its hash: the seal is broken").
			WithHint("put the sealed file back")
	}
	return s, nil
}

// Record counts a look at the test rows of a run directory: what by scored what of whom, with the splits and masks as
// they are now. It returns nil, nil where nothing is sealed. What is sealed but has changed since refuses the look, a
// fault of kind BadData; that is written down too. People and regions that the seal does not name may be looked at.
func RecordTestRead(out string, look TestRead, splits, masks map[string]string) (*Status, error) {
	s, err := Read(out)
	if s == nil || err != nil {
		return nil, err
	}
	path, looks := files(out)
	for what, pair := range map[string][2]map[string]string{"splits of ": {s.Splits, splits}, "mask ": {s.Masks, masks}} {
		for _, name := range slices.Sorted(maps.Keys(pair[1])) {
			if was, sealed := pair[0][name]; sealed && was != pair[1][name] {
				look.Changed = append(look.Changed, what+name)
			}
		}
	}
	slices.Sort(look.Changed)
	look.Time = time.Now().UTC().Truncate(time.Second)
	if _, err := jsonfile.AppendLine("count look", looks, look); err != nil {
		return nil, err
	}
	if len(look.Changed) > 0 {
		return nil, fault.New(fault.BadData, "look at test rows", path, "%v changed since the experiment was sealed on %s",
			look.Changed, s.Time.Format(time.RFC3339)).
			WithHint("put back what was sealed, or give the changed experiment another out")
	}
	st := &Status{Time: s.Time, SHA256: s.SHA256, Endpoints: s.Endpoints}
	if slices.Equal(slices.Sorted(maps.Keys(s.Splits)), slices.Sorted(slices.Values(look.Subjects))) {
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

// Looks are all looks at the test rows of a run directory since it was sealed.
func TestReads(out string) (looks []TestRead, err error) {
	_, path := files(out)
	looks, err = jsonfile.ReadLines[TestRead]("read looks", path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return looks, err
}
