package imports

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/disk/disktest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/slowtest"
)

// importing is the variable of the environment with which this program imports files and prints its largest memory:
// the folder to make, the recording, rows, voxels, and the files of stories, with colons between.
const importing = "BWLM_TEST_IMPORT"

// checking is the variable with which it checks the timing at the end.
const checking = "BWLM_TEST_IMPORT_CHECK"

func TestMain(m *testing.M) {
	text, ok := os.LookupEnv(importing)
	if !ok {
		os.Exit(m.Run())
	}
	disktest.Obey()
	if text != "" {
		if err := importFiles(strings.Split(text, ":")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Println(strings.Fields(kb)[0])
		}
	}
}

func importFiles(fields []string) error {
	rows, _ := strconv.Atoi(fields[2])
	voxels, _ := strconv.Atoi(fields[3])
	f, err := Start("test", filepath.Dir(fields[4]))
	if err != nil {
		return err
	}
	f.TR = 2
	s := Subject{Name: "s1"}
	for i, file := range fields[4:] {
		story := fmt.Sprint("story", i)
		f.Stories = append(f.Stories, Story{Name: story, Audio: fields[1]})
		s.Responses = append(s.Responses, Response{Story: story, File: file, Shape: []int{rows, voxels},
			Open: OpenArray(file, "data")})
	}
	f.Subjects = []Subject{s}
	debug.SetGCPercent(25) // as the command has it: with much else to do, a machine collects late
	_, err = f.Import(context.Background(), Options{Dir: fields[0], Check: os.Getenv(checking) != ""})
	return err
}

// child runs this program with an import and some variables of the environment.
func child(t *testing.T, what string, env ...string) (*exec.Cmd, string, error) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(self)
	command.Env = append(append(os.Environ(), importing+"="+what), env...)
	answer, err := command.Output()
	return command, strings.TrimSpace(string(answer)), err
}

// A process that is killed at any step leaves no folder, and the next one goes on and makes the same.
func TestAnImportThatIsKilledGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	dir := filepath.Join(labtest.Dir(t), "hdf5")
	sound := filepath.Join(t.TempDir(), "sound.wav")
	require.NoError(t, audio.WriteWAV(sound, make([]float32, 24*audio.Rate), audio.Rate, audio.PCM16))
	what := func(out string) string {
		return strings.Join([]string{out, sound, "12", "7", filepath.Join(dir, "lebel_story.hf5"),
			filepath.Join(dir, "lebel_nan_voxel.hf5")}, ":")
	}
	whole, log := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "steps")
	_, answer, err := child(t, what(whole), disktest.Steps(log))
	require.NoError(t, err, answer)
	want, steps := contents(t, whole), len(disktest.Read(t, log))
	require.Greater(t, steps, 50)
	every := 13
	if slowtest.Thorough {
		every = 1
	}
	for n := 1; n <= steps; n += every {
		out := filepath.Join(t.TempDir(), "out")
		_, answer, err := child(t, what(out), disktest.DieAt(n))
		require.ErrorContains(t, err, "killed", "step %d: %s", n, answer)
		if _, err := os.Stat(out); err == nil { // it died after the folder had its name
			requireSame(t, want, out, fmt.Sprint("step ", n))
			assert.Greater(t, n, steps-3)
			continue
		}
		_, answer, err = child(t, what(out))
		require.NoError(t, err, "step %d: %s", n, answer)
		requireSame(t, want, out, fmt.Sprint("step ", n))
		require.NoDirExists(t, out+unfinished)
	}
}
