package main

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
)

// noteAudit prints the stimulus windows of the splits, in a table that fits the terminal, and what they share.
func (a *app) noteAudit(r *design.Report) {
	text := ui.Text{Width: a.ui.Columns()}
	var rows [][]string
	for _, s := range r.Rows {
		rows = append(rows, []string{s.Split, s.Story, fmt.Sprintf("%d:%d", s.From, s.To), fmt.Sprint(len(s.Subjects)),
			fmt.Sprintf("%s %.1f to %.1f s", s.Stimulus, s.Window.From, s.Window.To)})
	}
	_ = ui.Table(&text, []string{"split", "story", "rows", "subjects", "stimulus window"}, rows) // into memory
	a.ui.Note("%s%s", text.String(), r.Findings())
}
