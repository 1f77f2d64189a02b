package ui

import (
	"bytes"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func plainUI() (*UI, *bytes.Buffer) {
	var b bytes.Buffer
	return NewWriter(&b, func() int { return 0 }), &b
}

func TestPlainProgressIsOneLineEveryTwentySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out := plainUI()
		p := u.Progress("train", 0, 100)
		for n := 1; n <= 100; n++ {
			time.Sleep(time.Second)
			p.Set(n, "loss -0.10")
		}
		p.End()
		assert.Equal(t, strings.Join([]string{
			"train  20/100  ETA 1m20s  loss -0.10",
			"train  40/100  ETA 1m00s  loss -0.10",
			"train  60/100  ETA 40s  loss -0.10",
			"train  80/100  ETA 20s  loss -0.10",
			"train  100/100  loss -0.10",
			"train  100/100  in 1m40s  loss -0.10",
			"",
		}, "\n"), out.String())
	})
}

func TestResumedProgressGuessesFromItsOwnSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out := plainUI()
		p := u.Progress("train", 90, 100)
		time.Sleep(30 * time.Second)
		p.Set(93, "")
		p.End()
		assert.Equal(t, "train  93/100  ETA 1m10s\ntrain  93/100  in 30s\n", out.String())
	})
}

func TestUnknownTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u, out := plainUI()
		p := u.Progress("read", 0, 0)
		time.Sleep(time.Minute)
		p.Set(7, "")
		p.End()
		assert.Equal(t, "read  7\nread  7  in 1m00s\n", out.String())
	})
}

// screen plays what was written on a terminal of the given width and returns its lines.
func screen(t *testing.T, written string) []string {
	t.Helper()
	require.NotContains(t, written, "\x1b", "no escape sequence, so no colour")
	var lines []string
	line, at := []rune{}, 0
	for _, r := range written {
		switch r {
		case '\r':
			at = 0
		case '\n':
			lines = append(lines, strings.TrimRight(string(line), " "))
			line, at = nil, 0
		default:
			require.Less(t, r, rune(128), "ASCII only")
			if at < len(line) {
				line[at] = r
			} else {
				line = append(line, r)
			}
			at++
		}
	}
	return append(lines, strings.TrimRight(string(line), " "))
}

func TestBarFitsTheTerminal(t *testing.T) {
	for _, columns := range []int{20, 39, 40, 80, 200} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			u := NewWriter(&out, func() int { return columns })
			p := u.Progress("train", 0, 400)
			for n := range 300 {
				time.Sleep(10 * time.Second)
				p.Set(n+1, "loss -0.1000  r 0.15")
				for part := range strings.FieldsFuncSeq(out.String(),
					func(r rune) bool { return r == '\r' || r == '\n' }) {
					require.Less(t, len(part), columns, "%q would wrap", part)
				}
			}
			now := screen(t, out.String())
			bar := now[len(now)-1]
			assert.Contains(t, bar, "75% |")
			assert.Contains(t, bar, "16m40s")
			if columns >= 80 {
				assert.Contains(t, bar, "train  300/400  ETA 16m40s")
			}
			p.Set(400, "")
			p.End()
			now = screen(t, out.String())
			assert.Equal(t, []string{"train  400/400  in 50m00s", ""}, now)
		})
	}
}

func TestBarMakesRoomForALine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		u := NewWriter(&out, func() int { return 80 })
		p := u.Progress("train", 0, 4)
		time.Sleep(time.Second)
		p.Set(1, "")
		u.Note("checkpoint %d", 1)
		time.Sleep(time.Second)
		p.Set(2, "")
		assert.Regexp(t, `^ *50% \|=+> +\|  train  2/4  ETA 2s$`, screen(t, out.String())[1])
		p.End()
		assert.Equal(t, []string{"checkpoint 1", "train  2/4  in 2s", ""}, screen(t, out.String()))
	})
}

func TestManyQuickStepsAreDrawnRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		u := NewWriter(&out, func() int { return 80 })
		p := u.Progress("train", 0, 1000)
		for n := range 1000 {
			time.Sleep(time.Millisecond)
			p.Set(n+1, "")
		}
		p.End()
		assert.LessOrEqual(t, len(regexp.MustCompile(`\d+/1000`).FindAllString(out.String(), -1)), 12)
	})
}

func TestQuietKeepsWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		u := NewWriter(&out, func() int { return 80 })
		u.Quiet = true
		p := u.Progress("train", 0, 2)
		time.Sleep(time.Minute)
		p.Set(1, "")
		u.Note("nothing")
		u.Warn("voxel %d is constant", 3)
		p.End()
		assert.Equal(t, "bwlm: warning: voxel 3 is constant\n", out.String())
	})
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, Table(&b, []string{"region", "r", "gain"},
		[][]string{{"auditory", "0.412", "+3%"}, {"Übergang", "-", "-12.5%"}, {"語"}}))
	assert.Equal(t, strings.Join([]string{
		"region        r    gain",
		"auditory  0.412     +3%",
		"Übergang      -  -12.5%",
		"語",
		"",
	}, "\n"), b.String())
	b.Reset()
	require.NoError(t, Table(&b, []string{"a", "b"}, nil))
	assert.Equal(t, "a  b\n", b.String())
}

func TestNothingThatATerminalObeysIsPrinted(t *testing.T) {
	u, out := plainUI()
	u.Note("ROI %s", "a\x1b[2Jb")
	u.Warn("ROI %s", "a\u009b2Jb")
	u.Fail("ROI a\rb")
	require.NoError(t, Table(out, []string{"ROI", "r"}, [][]string{{"a\nb\x1b]0;x\a", "0.1"}, {"c", "0.2"}}))
	assert.Equal(t, "ROI a\\u001b[2Jb\nbwlm: warning: ROI a\\u009b2Jb\nbwlm: ROI a\\u000db\n"+
		"ROI                         r\na\\u000ab\\u001b]0;x\\u0007  0.1\nc                         0.2\n",
		out.String())
}

// A log takes whole lines without the name of the program, at their levels.
func TestLinesGoToALog(t *testing.T) {
	var out, log strings.Builder
	u := NewWriter(&out, func() int { return 0 })
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	u.LogTo(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: noTime})))
	u.Note("a %d", 1)
	u.Warn("b")
	u.Fail("c")
	u.Quiet = true
	u.Note("d")
	assert.Empty(t, out.String())
	assert.Equal(t, "level=INFO msg=\"a 1\"\nlevel=WARN msg=b\nlevel=ERROR msg=c\n", log.String())
}
