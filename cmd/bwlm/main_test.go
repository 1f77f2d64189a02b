package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/disk/disktest"
	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/torch"
)

// TestMain lets this binary be bwlm, for the scripts and for the tests that need a process of their own.
// columnsVariable is the number of voxels of a block in processes that tests start.
const columnsVariable = "BWLM_TEST_COLUMNS"

func TestMain(m *testing.M) {
	testscript.Main(ownCache{m}, map[string]func(){"bwlm": func() {
		disktest.Obey()
		if n, err := strconv.Atoi(os.Getenv(columnsVariable)); err == nil {
			columns.Width = n
		}
		code := run(os.Args[1:], os.Stdout, os.Stderr, append(commands(), trials()...))
		if name := commandOf(os.Args); name != "long" && torch.Setup(torch.SetupOptions{}) != nil &&
			!slices.Contains(slices.Concat(computing, brief), name) {
			fmt.Fprintf(os.Stderr, "%s called libtorch: it belongs in the list computing\n", name)
			code = 99 // so the script fails
		}
		os.Exit(code)
	}})
}

// ownCache runs the tests with a cache folder that is not the user's.
type ownCache struct{ *testing.M }

func (m ownCache) Run() int {
	dir, err := os.MkdirTemp("", "bwlm-cache")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Setenv("XDG_CACHE_HOME", dir)
	return m.M.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, "cache"))
			return nil
		}})
}

// trials are commands that do what real ones do, in a moment and on demand.
func trials() []constructor {
	plain := func(use string, do func(*cobra.Command, []string) error) constructor {
		return func(*app) *cobra.Command {
			return &cobra.Command{Use: use, Short: "trial", Example: "  none", RunE: do,
				DisableFlagParsing: use == "raw"}
		}
	}
	return []constructor{
		func(a *app) *cobra.Command { // as train and eval read their experiment
			var exp experimentFlags
			c := &cobra.Command{Use: "parse EXPERIMENT", Short: "trial", Example: "  none",
				Args: wantArgs("EXPERIMENT"),
				RunE: func(c *cobra.Command, args []string) error {
					e, err := exp.load(c.Context(), args[0])
					if err != nil {
						return err
					}
					return a.answer(map[string]any{"epochs": e.Train.Epochs}, e.Write)
				}}
			exp.add(c)
			return c
		},
		plain("wait", func(c *cobra.Command, _ []string) error {
			fmt.Fprintln(os.Stderr, "ready")
			<-c.Context().Done()
			if len(c.Flags().Args()) > 0 { // a command that does not come to its end
				select {}
			}
			return fmt.Errorf("state of step 7 is saved: %w", context.Cause(c.Context()))
		}),
		plain("long", longCall),
		plain("panic", func(*cobra.Command, []string) error { panic("index out of range\nmore") }),
		plain("work", func(c *cobra.Command, args []string) error { return errorsByName[args[0]] }),
		func(a *app) *cobra.Command {
			return &cobra.Command{Use: "half", Short: "trial", Example: "  none",
				RunE: func(*cobra.Command, []string) error {
					if err := a.answer(map[string]int{"a": 1}, func(io.Writer) error { return nil }); err != nil {
						return err
					}
					return errors.New("too late")
				}}
		},
	}
}

var errorsByName = map[string]error{
	"data":    fault.New(fault.BadData, "read audio", "a\nb.wav", "no samples").WithHint("check the file"),
	"plain":   errors.New("some mistake"),
	"wrapped": fmt.Errorf("story a: %w", fault.New(fault.IO, "write", "f", "no space").WithHint("make room")),
	"cause":   fault.Wrap(fault.Missing, "open model", "dir", os.ErrNotExist),
	"memory":  &torch.Error{Op: "matmul", Msg: "cannot allocate", OutOfMemory: true},
	"shape":   &torch.Error{Op: "matmul", Shapes: [][]int{{1, 2}, {3}}, Msg: "do not fit"},
}

// call runs bwlm in this process.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	require.NoError(t, err)
	defer out.Close()
	errs, err := os.Create(filepath.Join(t.TempDir(), "err"))
	require.NoError(t, err)
	defer errs.Close()
	code = run(args, out, errs, append(commands(), trials()...))
	stdoutBytes, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	stderrBytes, err := os.ReadFile(errs.Name())
	require.NoError(t, err)
	return code, string(stdoutBytes), string(stderrBytes)
}

func TestErrorsAreOneLineAndACode(t *testing.T) {
	cases := []struct {
		args string
		code int
		want string
	}{
		{"inti", 2, "unknown command \"inti\"; did you mean `bwlm init`?"},
		{"qqqqqqqq", 2, "unknown command \"qqqqqqqq\"; see `bwlm --help`"},
		{"help vresion", 2, "unknown command \"vresion\"; did you mean `bwlm version`?"},
		{"completion bsh", 2, "completion: unknown command \"bsh\"; did you mean `bwlm completion bash`?"},
		{"init --jsn", 2, "init: unknown flag --jsn; did you mean --json?"},
		{"init -x", 2, "init: unknown shorthand flag: 'x' in -x; see `bwlm init --help`"},
		{"init --json=maybe", 2, "init: --json wants a bool, got \"maybe\"; see `bwlm init --help`"},
		{"init extra", 2, "init: \"extra\" is one argument too many; see `bwlm init --help`"},
		{"parse", 2, "parse: EXPERIMENT is missing; see `bwlm parse --help`"},
		{"parse --set", 2, "parse: flag needs an argument: --set; see `bwlm parse --help`"},
		{"parse nowhere.yaml", 66,
			"experiment: nowhere.yaml: no such file; check the name, or make one with `bwlm init > exp.yaml`"},
		{"doctor --device tpu", 2, "open device: tpu: is not one of auto, cpu, cuda, cuda:N"},
		{"doctor --device cuda5", 2, "open device: cuda5: is not one of auto, cpu, cuda, cuda:N"},
		{"work data", 65, "read audio: a b.wav: no samples; check the file"},
		{"work plain", 1, "some mistake"},
		{"work wrapped", 74, "story a: write: f: no space; make room"},
		{"work cause", 66, "open model: dir: file does not exist"},
		{"work memory", 71, "torch: matmul: cannot allocate; free some, or use a smaller block, window or model"},
		{"work shape", 1, "torch: matmul of [1, 2] and [3]: do not fit"},
		{"panic", 1, "internal error: index out of range; this is a mistake in bwlm: please report it with what " +
			"--debug prints"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			code, stdout, stderr := call(t, strings.Fields(c.args)...)
			assert.Equal(t, c.code, code)
			assert.Equal(t, "bwlm: "+c.want+"\n", stderr)
			assert.Empty(t, stdout)

			code, stdout, stderr = call(t, append(strings.Fields(c.args), "--json")...)
			if c.args == "parse --set" {
				return // there, --json is the argument of --set
			}
			assert.Equal(t, c.code, code)
			assert.Equal(t, "bwlm: "+c.want+"\n", stderr, "people get the line all the same")
			var r map[string]map[string]any
			require.NoError(t, json.Unmarshal([]byte(stdout), &r), stdout)
			assert.EqualValues(t, c.code, r["error"]["code"])
			assert.NotEmpty(t, r["error"]["reason"])
			for _, key := range []string{"op", "path", "hint"} {
				assert.Contains(t, r["error"], key)
			}
		})
	}
}

func TestErrorObject(t *testing.T) {
	_, stdout, _ := call(t, "work", "data", "--json")
	assert.JSONEq(t, `{"error": {"code": 65, "op": "read audio", "path": "a b.wav", "reason": "no samples", "hint": `+
		`"check the file"}}`, stdout)
	_, stdout, _ = call(t, "work", "cause", "--json")
	assert.JSONEq(t, `{"error": {"code": 66, "op": "open model", "path": "dir", "reason": "file does not exist", `+
		`"hint": ""}}`, stdout)
	code, stdout, stderr := call(t, "half", "--json")
	assert.Equal(t, 1, code)
	assert.Equal(t, "{\"a\":1}\n", stdout, "no second object after an answer")
	assert.Equal(t, "bwlm: too late\n", stderr)
}

func TestDebugShowsCausesAndStack(t *testing.T) {
	_, _, stderr := call(t, "work", "wrapped", "--debug")
	assert.Contains(t, stderr, "debug: *fmt.wrapError: story a: write")
	assert.Contains(t, stderr, "debug: *fault.Error: write: f")
	_, _, stderr = call(t, "panic", "--debug")
	assert.Contains(t, stderr, "goroutine ")
	assert.Contains(t, stderr, "main_test.go")
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	root := newRoot(&app{ui: ui.New(os.Stderr), out: &output{w: io.Discard}}, commands())
	_, top, _ := call(t, "--help")
	for line := range strings.Lines(top) {
		assert.LessOrEqual(t, len(line), 130, line)
	}
	for _, c := range root.Commands() {
		code, direct, stderr := call(t, c.Name(), "--help")
		assert.Zero(t, code)
		assert.Empty(t, stderr)
		_, byHelp, _ := call(t, "help", c.Name())
		assert.Equal(t, direct, byHelp)
		assert.Contains(t, direct, "Examples:\n  ", c.Name())
		assert.Contains(t, direct, "bwlm "+c.Name())
		assert.Contains(t, top, fmt.Sprintf("\n  %-18s  %s\n", c.Name(), c.Short))
		assert.NotEmpty(t, c.Long, c.Name())
	}
}

func TestVersionAndDoctorAnswerJSON(t *testing.T) {
	code, stdout, stderr := call(t, "version", "--json")
	require.Zero(t, code, stderr)
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &v))
	assert.EqualValues(t, 1, v["schema"])
	assert.Equal(t, torch.Version(), v["libtorch"])
	commit, dirty := version.Commit()
	assert.Equal(t, commit, v["commit"])
	assert.Equal(t, dirty, v["dirty"])
	assert.Regexp(t, `^v\d+\.\d+\.\d+(-[\w.-]+)?$`, v["version"])
	assert.Empty(t, stderr)

	code, stdout, stderr = call(t, "doctor", "--device", "cpu", "--json")
	require.Zero(t, code, stderr)
	var d diagnosis
	require.NoError(t, json.Unmarshal([]byte(stdout), &d))
	assert.Equal(t, "cpu", d.SelfTest.Device)
	assert.Positive(t, d.SelfTest.Seconds)
	assert.Positive(t, d.Threads)
	assert.Positive(t, d.Machine.MemoryMB)
	assert.Positive(t, d.Machine.DiskFreeMB)
	assert.NotEmpty(t, d.Machine.CPU)
	assert.FileExists(t, d.Library)
	code, stdout, _ = call(t, "doctor", "--device", "cpu")
	assert.Zero(t, code)
	assert.Contains(t, stdout, "self-test  one training step on cpu: right, ")
	assert.Contains(t, stdout, "to get one: hf download microsoft/wavlm-base-plus --local-dir models/wavlm-base-plus\n")
	page, err := os.ReadFile("../../docs/models.md")
	require.NoError(t, err)
	assert.Contains(t, string(page), d.GetModel, "the page says the same")
}

func TestCompletionKnowsTheCommands(t *testing.T) {
	_, stdout, _ := call(t, "__complete", "doc")
	assert.Contains(t, stdout, "doctor\t")
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		code, stdout, stderr := call(t, "completion", shell)
		assert.Zero(t, code)
		assert.Empty(t, stderr)
		assert.Contains(t, stdout, "bwlm")
	}
}

// process starts bwlm as a program of its own and waits for its line "ready". The function waits for its end and
// returns what it said.
func process(t *testing.T, args ...string) (*exec.Cmd, func() string) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Args = append([]string{"bwlm"}, args...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var said strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(said.String(), "ready") {
		n, err := stderr.Read(buf)
		require.NoError(t, err, said.String())
		said.Write(buf[:n])
	}
	return cmd, func() string {
		_, _ = io.Copy(&said, stderr)
		_ = cmd.Wait()
		return said.String()
	}
}

func TestClosedReaderIsNoFailure(t *testing.T) {
	for _, args := range [][]string{{"init"}, {"init", "--json"}, {"--help"}} {
		self, err := os.Executable()
		require.NoError(t, err)
		reader, writer, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, reader.Close())
		var stderr strings.Builder
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Args = append([]string{"bwlm"}, args...)
		cmd.Stdout, cmd.Stderr = writer, &stderr
		assert.NoError(t, cmd.Run(), args)
		assert.Empty(t, stderr.String())
		require.NoError(t, writer.Close())
	}
}

func TestSignalsEndACommandInOrder(t *testing.T) {
	for s, want := range map[os.Signal]int{os.Interrupt: 130, syscall.SIGTERM: 143, syscall.SIGUSR1: 143} {
		cmd, end := process(t, "wait")
		require.NoError(t, cmd.Process.Signal(s))
		end()
		assert.Equal(t, want, cmd.ProcessState.ExitCode(), s)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	cmd, end := process(t, "wait", "stubborn")
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	time.Sleep(200 * time.Millisecond)
	require.NoError(t, cmd.Process.Signal(syscall.Signal(0)), "the first signal does not end it")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	assert.Contains(t, end(), "bwlm: SIGTERM: stopped at once; a file that was being written keeps a temporary name")
	assert.Equal(t, 143, cmd.ProcessState.ExitCode())
}

func TestStoppedKeepsWhatTheLibrarySaid(t *testing.T) {
	request := stopRequest(syscall.SIGTERM)
	ctx, cancel := context.WithCancelCause(t.Context())
	assert.NoError(t, stopped(ctx, nil))
	assert.EqualError(t, stopped(ctx, errors.New("other")), "other")
	cancel(request)

	assert.NoError(t, stopped(ctx, nil), "what was finished is finished")
	assert.EqualError(t, stopped(ctx, errors.New("other")), "other")
	for _, err := range []error{context.Canceled, request, fmt.Errorf("epoch 3: %w", context.Canceled),
		fmt.Errorf("epoch 3: %w", request),
		fault.Wrap(fault.Temporary, "train", "run", context.Canceled)} {
		assert.Equal(t, fault.Terminated, fault.KindOf(stopped(ctx, err)), err)
	}
	saved := fault.New(fault.Temporary, "train", "run", "saved at step 7").WithHint("go on with `bwlm resume run`")
	saved.Err = context.Canceled
	assert.EqualError(t, stopped(ctx, saved), "train: run: saved at step 7; go on with `bwlm resume run`")
	assert.Equal(t, fault.Temporary, saved.Kind, "the library's error is not changed")
}
