package experiment

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestRetiredKeysNameTheirSuccessor(t *testing.T) {
	for _, r := range retired {
		if r.key != "" {
			continue
		}
		require.NotNil(t, find(r.is), r.is)
		require.Nil(t, find(r.was), r.was)
		section, leaf, _ := strings.Cut(r.was, ".")
		_, err := ReadBytes("exp.yaml", []byte(section+":\n  "+leaf+": 1\n"))
		require.EqualError(t, err, "experiment: exp.yaml:2:3: "+r.was+" is now "+r.is)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
		err = Default().Set(r.was + "=1")
		require.EqualError(t, err, "experiment: setting "+r.was+"=1: "+r.was+" is now "+r.is)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
}

func TestRetiredValuesNameTheirSuccessor(t *testing.T) {
	for _, r := range retired {
		if r.key == "" {
			continue
		}
		set := r.key + "=" + r.was
		_, err := load(t, enough, set)
		require.EqualError(t, err, "experiment: setting "+set+": "+r.key+": "+r.was+" is now "+r.is)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
		_, err = load(t, enough, r.key+"="+r.is)
		require.NoError(t, err)
	}
}

func TestRunOfAnEarlierVersionIsNoReadableRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(path, []byte(enough), 0o644))
	e, err := LoadRun(path)
	require.NoError(t, err)
	require.Equal(t, 9, e.Model.Layer)

	require.NoError(t, os.WriteFile(path, []byte(enough+"train:\n  block_trs: 10\n"), 0o644))
	_, err = LoadRun(path)
	require.EqualError(t, err,
		"experiment: "+path+": an earlier version of bwlm wrote this run; repeat the run from its experiment file")
	assert.Equal(t, fault.BadData, fault.KindOf(err))

	require.NoError(t, os.WriteFile(path, []byte(enough+"train:\n  epoch: 10\n"), 0o644))
	_, err = LoadRun(path)
	require.ErrorContains(t, err, "did you mean train.epochs?")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

var update = flag.Bool("update", false, "write docs/keys.md")

// keysPage renders docs/keys.md from the tables.
func keysPage() string {
	var b strings.Builder
	b.WriteString("# Keys of the experiment file\n\n" +
		"Written by `go test ./brain/experiment -run KeysPage -update` from the table that reads the file. `bwlm " +
		"init` prints\n" +
		"a commented file to start from; `--set key=value` changes one key of a command.\n")
	defaults := Default()
	for _, s := range sections {
		title, doc := s.name, s.doc
		if title == "" {
			title, doc = "Top level", "Keys without a section."
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| key | default | meaning |\n| --- | --- | --- |\n", title, doc)
		for i := range keys {
			k := &keys[i]
			if section, _ := k.split(); section != s.name {
				continue
			}
			value := "required"
			if !k.required() {
				value = "`" + templateValue(k, defaults) + "`"
			}
			meaning := strings.ReplaceAll(strings.ReplaceAll(k.doc, "\n", " "), "|", "\\|")
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", k.name, value, meaning)
		}
	}
	b.WriteString("\n## Retired names\n\nEach is an error that gives the new name.\n\n| was | is |\n| --- | --- |\n")
	for _, r := range retired {
		was, is := r.was, r.is
		if r.key != "" {
			was, is = r.key+": "+was, r.key+": "+is
		}
		fmt.Fprintf(&b, "| `%s` | `%s` |\n", was, is)
	}
	return b.String()
}

func TestKeysPage(t *testing.T) {
	const path = "../../docs/keys.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(keysPage()), 0o644))
	}
	page, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, keysPage(), string(page), "go test ./brain/experiment -run KeysPage -update writes it")
}
