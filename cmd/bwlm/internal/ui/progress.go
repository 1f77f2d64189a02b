package ui

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

const (
	plainEvery  = 20 * time.Second       // between plain lines
	redrawEvery = 100 * time.Millisecond // between drawings of the bar
	narrowest   = 20                     // columns below which a bar makes no sense
)

// Progress shows the progress of one task.
type Progress struct {
	ui          *UI
	task        string
	from, total int
	n           int
	note        string
	start, last time.Time // last: of the newest drawing or line

	bar      *progressbar.ProgressBar // nil without a terminal
	barWidth int                      // fixed when the terminal is resized, unlike the text next to it
	buf      bytes.Buffer             // the bar's output, for one write
}

// Progress starts to show a task of total steps, of which from are done already (in a run that is
// resumed). A total of 0 means unknown. End it before the next one starts.
func (u *UI) Progress(task string, from, total int) *Progress {
	u.mu.Lock()
	defer u.mu.Unlock()
	now := time.Now()
	p := &Progress{ui: u, task: task, from: from, n: from, total: total, start: now, last: now}
	if columns := u.width(); columns >= narrowest && total > 0 && !u.Quiet {
		p.barWidth = 2
		if columns >= 40 {
			p.barWidth = min(columns/4, 30)
		}
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(&p.buf),
			progressbar.OptionSetWidth(p.barWidth),
			progressbar.OptionSetPredictTime(false), // the description has it, in the room there is
			progressbar.OptionShowDescriptionAtLineEnd(),
			progressbar.OptionClearOnFinish(),
			progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: ">", SaucerPadding: " ",
				BarStart: "|", BarEnd: "|"}),
		)
		p.draw()
	}
	u.shown = p
	return p
}

// Set sets the number of steps that are done. The note is shown with it, such as "loss -0.0712 r
// 0.113".
func (p *Progress) Set(n int, note string) {
	p.ui.mu.Lock()
	defer p.ui.mu.Unlock()
	p.n, p.note = n, note
	switch since := time.Since(p.last); {
	case p.ui.Quiet:
	case p.bar != nil && (since >= redrawEvery || n >= p.total):
		p.draw()
	case p.bar == nil && since >= plainEvery:
		p.last = time.Now()
		p.print(p.describe(1 << 20))
	}
}

// End removes the bar and prints the number of steps done and the time.
func (p *Progress) End() {
	p.ui.mu.Lock()
	defer p.ui.mu.Unlock()
	p.erase()
	p.ui.shown = nil
	if !p.ui.Quiet {
		p.print(join(p.task, p.count(), "in "+clock(time.Since(p.start)), p.note))
	}
}

func (p *Progress) print(s string) { _, _ = p.ui.out.Write([]byte(s + "\n")) }

// draw draws the bar in one write.
func (p *Progress) draw() {
	p.last = time.Now()
	_ = p.bar.Set(min(max(p.n, 0), p.total))
	p.buf.Reset() // that drawing has the description of the last step
	p.bar.Describe(p.describe(p.ui.width() - 1 - p.barWidth - len(" 100% ||   ")))
	p.flush()
}

func (p *Progress) erase() {
	if p.bar != nil {
		p.buf.Reset()
		_ = p.bar.Clear()
		p.flush()
	}
}

func (p *Progress) flush() {
	_, _ = p.ui.out.Write(p.buf.Bytes())
	p.buf.Reset()
}

// describe returns as many fields as fit in room columns: time left before count before note before
// the task's name.
func (p *Progress) describe(room int) string {
	left := p.left()
	if left != "" && room > 12 {
		left = "ETA " + left
	}
	fields := []string{p.task, p.count(), left, p.note}
	keep := make([]string, len(fields))
	for _, i := range []int{2, 1, 3, 0} {
		keep[i] = fields[i]
		if len(join(keep...)) > room {
			keep[i] = ""
		}
	}
	return join(keep...)
}

func join(fields ...string) string {
	var s []string
	for _, f := range fields {
		if f != "" {
			s = append(s, f)
		}
	}
	return strings.Join(s, "  ")
}

func (p *Progress) count() string {
	if p.total <= 0 {
		return fmt.Sprint(p.n)
	}
	return fmt.Sprintf("%d/%d", p.n, p.total)
}

// left estimates the time left from the steps since the start, without those of an earlier run.
func (p *Progress) left() string {
	done := p.n - p.from
	if done <= 0 || p.n >= p.total {
		return ""
	}
	return clock(time.Since(p.start) / time.Duration(done) * time.Duration(p.total-p.n))
}

// clock spells a duration in at most six columns up to a hundred hours.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
}
