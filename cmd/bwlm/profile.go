package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
)

// profiling is the flag --profile of a command.
type profiling struct {
	on      bool
	profile *torch.Profile
}

func (p *profiling) add(flags *pflag.FlagSet, usage string) {
	flags.BoolVar(&p.on, "profile", false, usage)
}

// start gives the context to be measured: ctx itself without the flag.
func (p *profiling) start(ctx context.Context) context.Context {
	if !p.on {
		return ctx
	}
	p.profile = torch.NewProfile()
	return p.profile.Context(ctx)
}

// end prints the profile and writes it to a folder, if there is one, also after an error: err, which it
// hands on.
func (p *profiling) end(a *app, dir string, err error) error {
	if p.profile == nil {
		return err
	}
	a.ui.Note("%s", strings.TrimRight(profileText(p.profile.Report(), a.ui.Columns()), "\n"))
	if dir == "" {
		return err
	}
	failed := os.MkdirAll(dir, 0o755)
	if failed != nil {
		failed = fault.Wrap(fault.IO, "write profile", dir, failed)
	} else {
		failed = rundir.WriteProfile(dir, p.profile)
	}
	if err == nil {
		err = failed
	}
	return err
}

// profileText is a table for each phase, in milliseconds of one of its times.
func profileText(r *torch.ProfileReport, columns int) string {
	b := ui.Text{Width: columns}
	for _, ph := range r.Phases {
		times, share := "", func(seconds float64) string { return fmt.Sprintf("%.1f%%", 100*seconds/ph.Seconds) }
		if ph.Times > 1 {
			times = fmt.Sprintf(", %d times, each", ph.Times)
		}
		fmt.Fprintf(&b, "\n%s%s %.3f s:\n", ph.Name, times, ph.Seconds/float64(max(1, ph.Times)))
		ms := func(seconds float64) string { return fmt.Sprintf("%.1f", 1e3*seconds/float64(max(1, ph.Times))) }
		rows := [][]string{}
		for _, part := range ph.Parts {
			forward, backward := "-", "-"
			if part.Forward > 0 {
				forward = ms(part.Forward)
			}
			if part.Backward > 0 {
				backward = ms(part.Backward)
			}
			rows = append(rows, []string{part.Name, ms(part.Seconds), share(part.Seconds), forward, backward})
		}
		if len(rows) == 0 {
			continue
		}
		rows = append(rows, []string{"other", ms(ph.Other), share(ph.Other), "-", "-"})
		_ = ui.Table(&b, []string{"part", "ms", "share", "forward", "backward"}, rows) // into memory
	}
	return b.String()
}
