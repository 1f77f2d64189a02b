package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// commandTexts are texts of packages that are for users of the command: the report page tells how to repeat
// what it shows. chart.go has CSS variables, and hub.go the command of another program.
var commandTexts = []string{"brain/report/again.go", "brain/report/html.go", "brain/report/chart.go",
	"internal/hub/hub.go"}

// flagPattern finds a flag of the command in a text.
var flagPattern = regexp.MustCompile(`(^|[\s(\x60'])--[a-z]`)

// commandPattern finds a command of cmd/bwlm in a text.
func commandPattern(t *testing.T) *regexp.Regexp {
	var names []string
	files, err := os.ReadDir("../../cmd/bwlm")
	require.NoError(t, err)
	use := regexp.MustCompile(`Use:\s+"([a-z][a-z-]+)[ "]`)
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			text, err := os.ReadFile("../../cmd/bwlm/" + f.Name())
			require.NoError(t, err)
			for _, found := range use.FindAllSubmatch(text, -1) {
				names = append(names, string(found[1]))
			}
		}
	}
	require.Greater(t, len(names), 25, "the test found too few commands to show anything")
	return regexp.MustCompile(`\bbwlm (` + strings.Join(names, "|") + `)\b`)
}

// Packages are used by other programs, too. They advise in terms of options, fields and keys; cmd/bwlm/terms.go has
// the same with commands and flags.
func TestPackagesNameNoCommandsOrFlags(t *testing.T) {
	command, seen := commandPattern(t), 0
	root := os.DirFS("../..")
	for _, dir := range []string{"audio", "brain", "internal/cortex", "fault", "internal",
		"npy", "peft", "serve", "speech", "torch", "wavlm"} {
		require.NoError(t, fs.WalkDir(root, dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(name) != ".go" ||
				strings.HasSuffix(name, "_test.go") || slices.Contains(commandTexts, name) {
				return err
			}
			source, err := fs.ReadFile(root, name)
			require.NoError(t, err)
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, name, source, parser.SkipObjectResolution)
			require.NoError(t, err)
			ast.Inspect(file, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					text, err := strconv.Unquote(lit.Value)
					require.NoError(t, err)
					seen++
					if found := command.FindString(text) + flagPattern.FindString(text); found != "" {
						assert.Fail(t, "a package names "+found,
							"%s: say it in terms of the package, and add it to cmd/bwlm/terms.go",
							files.Position(lit.Pos()))
					}
				}
				return true
			})
			return nil
		}))
	}
	assert.Greater(t, seen, 5000, "the test read too few texts to show anything")
}

func TestCommandsAndFlagsAreFound(t *testing.T) {
	command := commandPattern(t)
	for _, text := range []string{"write them with `bwlm eval %s`", "resume it with bwlm resume x",
		"bwlm variance-partition"} {
		assert.Regexp(t, command, text)
	}
	assert.NotRegexp(t, command, "an earlier version of bwlm wrote this run")
	for _, text := range []string{"replace it with --force", "--set a=1",
		"write the tables (--format csv)", "try `--json`"} {
		assert.Regexp(t, flagPattern, text)
	}
	assert.NotRegexp(t, flagPattern, "a -- b, r--, 1--2")
}
