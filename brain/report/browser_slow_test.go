//go:build slow

package report

import (
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// The page is opened and photographed in Chromium, as wide as a phone and as a desk, light and
// dark, and printed. BWLM_SHOTS names a folder to keep the pictures in.
func TestPageInABrowser(t *testing.T) {
	var browser string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
		}
	}
	if browser == "" {
		t.Skip("no Chromium here (apt-get install chromium)")
	}
	dir := os.Getenv("BWLM_SHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	rep, err := Read(t.Context(), made(t), made(t))
	require.NoError(t, err)
	left, right := cortex.Synthetic(3)
	for _, r := range rep.Runs {
		r.Places = &finished.Places{Left: left.Surface, Right: right.Surface}
		for v := range madeVoxels {
			r.Places.Vertices = append(r.Places.Vertices, 30*v)
		}
		for i := range r.Subjects {
			r.Subjects[i].Places = r.Places
		}
	}
	page := filepath.Join(t.TempDir(), "page.html")
	require.NoError(t, atomicfile.Write(page, rep.HTML))

	open := func(out, flag string, more ...string) {
		args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
			"--user-data-dir=" + t.TempDir(), flag + out}, more...)
		text, err := exec.CommandContext(t.Context(), browser, append(args, "file://"+page)...).CombinedOutput()
		require.NoError(t, err, "%s", text)
	}
	for _, width := range []int{390, 1280} {
		papers := map[string][3]uint32{}
		for _, scheme := range []string{"light", "dark"} {
			shot := filepath.Join(dir, fmt.Sprintf("%s-%d.png", scheme, width))
			dark := map[string]string{"light": "1", "dark": "0"}[scheme]
			open(shot, "--screenshot=", fmt.Sprintf("--window-size=%d,3000", width),
				"--blink-settings=preferredColorScheme="+dark)
			f, err := os.Open(shot)
			require.NoError(t, err)
			im, err := png.Decode(f)
			f.Close()
			require.NoError(t, err)
			assert.Equal(t, width, im.Bounds().Dx())
			r, g, b, _ := im.At(2, 2).RGBA()
			papers[scheme] = [3]uint32{r >> 8, g >> 8, b >> 8}

			// What is wider than the page would be seen at its right margin.
			for y := range im.Bounds().Dy() {
				assert.Equal(t, im.At(2, 2), im.At(width-3, y), "%s, line %d: something leaves the page", shot, y)
			}
			colours := map[[3]uint32]bool{}
			for y := 0; y < im.Bounds().Dy(); y += 3 {
				for x := 0; x < width; x += 3 {
					r, g, b, _ := im.At(x, y).RGBA()
					colours[[3]uint32{r >> 12, g >> 12, b >> 12}] = true
				}
			}
			assert.Greater(t, len(colours), 30, "maps and charts are there")
		}
		assert.Equal(t, [3]uint32{255, 255, 255}, papers["light"])
		assert.Equal(t, [3]uint32{0x14, 0x18, 0x1d}, papers["dark"])
	}
	pdf := filepath.Join(dir, "page.pdf")
	open(pdf, "--print-to-pdf=")
	text, err := os.ReadFile(pdf)
	require.NoError(t, err)
	assert.Greater(t, len(text), 50_000, "printed with its pictures")
}
