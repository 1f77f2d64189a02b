package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestAdviceOfPackagesNamesCommands(t *testing.T) {
	for _, c := range []struct{ library, want string }{
		{"evaluate runs/a b", "write them with `bwlm eval runs/a b`"},
		{"evaluate runs/a again", "write the scores again with `bwlm eval runs/a`"},
		{"a: no maps: there are no scores of voxels; evaluate runs/a",
			"a: no maps: there are no scores of voxels; write them with `bwlm eval runs/a`"},
		{"resume runs/a, or choose another out", "resume it with `bwlm resume runs/a`, or choose another out"},
		{"check surface or mask in dataset.yaml, or write only csv and json",
			"check surface or mask in dataset.yaml, or write the tables (--format csv,json)"},
		{"give more training rows, or a smaller eval.chunk_rows",
			"give more training rows, or a smaller eval.chunk_rows"},
		{"", ""},
	} {
		assert.Equal(t, c.want, inTerms(c.library))
		assert.Equal(t, c.want, inTerms(c.want), "nothing is put twice")
	}
}

func TestErrorsNameFlagsAndCommands(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{fault.New(fault.Usage, "experiment", "setting a=1", "there is no key a"),
			"experiment: --set a=1: there is no key a"},
		{fault.New(fault.Usage, "export", "Formats", `there is no format "x"`),
			`export: --format: there is no format "x"`},
		{fault.New(fault.Unavailable, "open device", "cuda", "there is none"),
			"open device: cuda: there is none; `bwlm doctor` shows what is here"},
		{fault.New(fault.Unavailable, "open device", "cuda", "there is none").WithHint("buy one"),
			"open device: cuda: there is none; `bwlm doctor` shows what is here; buy one"},
		{fmt.Errorf("b: %w", fault.New(fault.Missing, "read", "r", "nothing").WithHint("evaluate r")),
			"b: read: r: nothing; write them with `bwlm eval r`"},
		{errors.New("plain"), "plain"},
	} {
		assert.EqualError(t, withTerms(asFault(c.err)), c.want)
	}
}

// An entry that no package says any more is dead.
func TestEveryTermIsInTheSources(t *testing.T) {
	var sources strings.Builder
	for _, dir := range []string{"../../brain", "../../internal", "../../serve"} {
		require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
				text, err := os.ReadFile(dir + "/" + name)
				require.NoError(t, err)
				sources.Write(text)
			}
			return err
		}))
	}
	for _, term := range terms {
		said := strings.Trim(strconv.Quote(term.library), `"`)
		assert.True(t, strings.Contains(sources.String(), said+`"`), "no package says %q", term.library)
	}
}
