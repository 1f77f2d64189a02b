package triggers

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// first = -(sound start - trigger 0) = -10.0256, TR 2.0045, one trigger put in.
func TestReportOfALaboratory(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	r, err := Read(filepath.Join(root, "labfiles/text/souls.report"))
	require.NoError(t, err)
	assert.InDelta(t, -10.0256, r.First, 1e-6)
	assert.InDelta(t, 2.0045, r.TR, 1e-7)
	assert.Equal(t, []int{12}, r.PutIn)
	assert.Equal(t, 30, r.Rows)
	assert.InDelta(t, 40.2869, r.Length, 1e-6)
	assert.Equal(t, "30 triggers, TR 2.0045 s, row 0 begins at -10.0256 s of the recording; 1 put in, the first "+
		"as row 12",
		r.String())
	_, err = Read("none.report")
	faulttest.Require(t, fault.Missing, err)
}

// report has a trigger at each time, and a recording that starts at 3.
func report(times ...float64) string {
	var b strings.Builder
	b.WriteString("1380910003 sound-start\n")
	for i, t := range times {
		label := "trigger"
		if i == 0 {
			label = "init-trigger"
		}
		fmt.Fprintf(&b, "%f %s\n", 1380910000+t, label)
	}
	return b.String()
}

func TestMissingTriggersArePutIn(t *testing.T) {
	for name, c := range map[string]struct {
		times []float64
		rows  int
		putIn []int
	}{
		"none missing":       {[]float64{0, 2, 4, 6}, 4, nil},
		"one":                {[]float64{0, 2, 6, 8}, 5, []int{2}},
		"three and one":      {[]float64{0, 2, 4, 12, 14, 16, 20, 22}, 12, []int{3, 4, 5, 9}},
		"one that came late": {[]float64{0, 2, 4.1, 6, 8}, 5, nil},
	} {
		r, err := parse(report(c.times...), "x")
		require.NoError(t, err, name)
		assert.Equal(t, c.rows, r.Rows, name)
		assert.Equal(t, c.putIn, r.PutIn, name)
		assert.InDelta(t, 2, r.TR, .01, name)
		assert.InDelta(t, -3, r.First, .05, name)
		assert.True(t, math.IsNaN(r.Length))
	}
}

func TestReportsThatAreRefused(t *testing.T) {
	for name, c := range map[string]struct{ text, part string }{
		"nothing": {"", "there is no sound-start"},
		"no start": {strings.Replace(report(0, 2, 4), "sound-start", "sound-begin", 1),
			"there is no sound-start"},
		"two triggers": {report(0, 2), "there are 2 triggers, want 3 or more"},
		"away":         {report(0, 2, 4, 6.5, 8, 10, 12), "the trigger of row 3 is 0.4"},
		"two starts":   {report(0, 2, 4) + "1 sound-start\n", "x:5: there are two of sound-start"},
		"two stops": {report(0, 2, 4) + "1380910007 sound-stop\n1380910008 sound-stop",
			"x:6: there are two of sound-stop"},
		"ends before it began": {report(0, 2, 4) + "1380910001 sound-stop\n", "before sound-start"},
		"backwards":            {report(0, 4, 2), "x:4: the trigger is earlier"},
		"all at once":          {report(0, 0, 0, 2), "half of the triggers"},
		"no time":              {"now trigger\n", `x:1: "now" is no time`},
		"not a number":         {"NaN trigger\n", `"NaN" is no time`},
		"a year between":       {report(0, 2, 4, 3e7), "TRs lie between"},
		"more missing":         {report(0, 2, 4, 12, 20, 28, 30, 32), "more triggers are missing than"},
	} {
		_, err := parse(c.text, "x")
		if name == "more missing" { // the median step is 2, and 9 are missing of 8
			require.Error(t, err)
		}
		faulttest.Require(t, fault.BadData, err, c.part)
	}
}

func FuzzReport(f *testing.F) {
	f.Add(report(0, 2, 4, 8, 10))
	f.Add("\ufeff1 init-trigger\r\n2 trigger\r\n3 trigger\r\n1.5 sound-start\r\n9 sound-stop\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		fuzztest.Run(t, 128, []byte(text), func() {
			r, err := parse(text, "fuzz")
			if err != nil {
				return
			}
			require.False(t, math.IsNaN(r.First) || math.IsInf(r.First, 0) || !(r.TR > 0))
			require.LessOrEqual(t, len(r.PutIn), r.Rows)
		})
	})
}
