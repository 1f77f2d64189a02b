package main

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/exampletest"
)

// program is set by scripts/outside_module_test.sh, which builds main.go in another module.
var program = flag.String("program", "", "binary of main.go; empty: this test binary")

// asProgram makes the test binary run main.
const asProgram = "EMBED_AS_PROGRAM=1"

func TestMain(m *testing.M) {
	if os.Getenv("EMBED_AS_PROGRAM") != "" {
		main()
		return
	}
	flag.Parse()
	exampletest.Main(m)
}

// embed runs the program without environment variables.
func embed(args ...string) (stdout, stderr string, err error) {
	c := exec.Command(*program, args...)
	c.Env = []string{} // nil would be the variables of the test
	if *program == "" {
		c.Path, c.Env = os.Args[0], []string{asProgram}
	}
	var out, failed bytes.Buffer
	c.Stdout, c.Stderr = &out, &failed
	err = c.Run()
	return out.String(), failed.String(), err
}

func TestProgramReadsFeaturesAndPredictsWithoutEnvironment(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	story, _ := exampletest.Recording(t, 20, 9)
	const model = "../../testdata/golden/base"
	stdout, stderr, err := embed(model, filepath.Join(model, "peft", "lora_qkv"), exampletest.Run(t), story)
	require.NoError(t, err, stderr)
	assert.Equal(t, "hidden: 999 frames, 48 channels, 9 adapted layers\nresponses: 50 volumes of ada, 60 "+
		"voxels\n", stdout)
	assert.Empty(t, stderr)
}

func TestMistakesAreOneLine(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "usage: embed MODEL ADAPTER RUN STORY.wav"},
		{[]string{"nowhere", "nowhere", "nowhere", "nowhere.wav"},
			"embed: read audio: nowhere.wav: no such file or directory"},
	} {
		_, stderr, err := embed(c.args...)
		assert.ErrorAs(t, err, new(*exec.ExitError))
		assert.Contains(t, stderr, c.want)
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

func TestProgramHasAtMost40Lines(t *testing.T) {
	source, err := os.ReadFile("main.go")
	require.NoError(t, err)
	_, code, _ := strings.Cut(string(source), "\npackage main\n")
	assert.LessOrEqual(t, 1+strings.Count(code, "\n"), 40)
}
