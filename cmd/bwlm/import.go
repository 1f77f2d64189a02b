package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
)

func importCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "import KIND",
		Short: "Describe data that are there as a data set",
		Long: `Finds stories, subjects and responses in the files of a source and writes a dataset.yaml with comments
that names them. Nothing is copied, and nothing is written to the source.`,
		Example: "  bwlm import arrays study --tr 2 --out data/study",
		Args:    onlyCommands,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(importArraysCommand(a))
	return c
}

// importFlags are the flags of every kind of source.
type importFlags struct {
	out    string
	dryRun bool
	tr     float64
}

func (f *importFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.out, "out", "", "`directory` for dataset.yaml, outside the source")
	c.Flags().BoolVar(&f.dryRun, "dry-run", false, "print the description and write nothing")
	c.Flags().Float64Var(&f.tr, "tr", 0, "`seconds` from one row to the next")
}

func importArraysCommand(a *app) *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "arrays FOLDER",
		Short: "A folder of .npy matrices (TRs × voxels) and recordings",
		Long: `Each recording (.wav, .flac, .mp3) below FOLDER is a story, named by its stem. Each .npy belongs to
the story whose name is in its path, such as sub-01/alice.npy or sub-01_task-alice_bold.npy, and to the subject that the
rest of its path names; three dimensions are repeats × TRs × voxels. A .tsv with the stem of a story has its words, if
it has the columns onset, offset and word. What was guessed and what was left out is printed and stands in the file.

Rows are compared with the audio by headers. Matrices that do not fit it are named and refused (65), as every command
would do later; --dry-run prints the description all the same, as a start for one's own. --json prints {"schema",
"kind", "source", "name", "tr_seconds", "stories", "subjects", "guessed", "left_out", "notes"}.`,
		Example: "  bwlm import arrays study --tr 2 --out data/study\n  bwlm import arrays study --tr 2 --dry-run",
		Args:    wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := imports.Arrays(c.Context(), args[0], f.tr)
			if err != nil {
				return err
			}
			return a.imported(c, found, &f)
		},
	}
	f.add(c)
	return c
}

// imported checks and writes what was found, and prints it.
func (a *app) imported(c *cobra.Command, found *imports.Found, f *importFlags) error {
	switch {
	case !c.Flags().Changed("tr"):
		e := usage(c, "--tr is missing: the seconds from one row to the next")
		if likely := found.LikelyTR(c.Context()); likely > 0 {
			return e.WithHint("audio and rows look like --tr %g", likely)
		}
		return e
	case !(f.tr > 0):
		return usage(c, "--tr: %g, want seconds above 0", f.tr)
	case f.out == "" && !f.dryRun:
		return usage(c, "--out is missing")
	}
	if f.dryRun {
		return a.previewed(c.Context(), found)
	}
	if err := found.Check(c.Context()); err != nil {
		return err
	}
	if err := found.Write(f.out); err != nil {
		return err
	}
	return a.answer(found, func(w io.Writer) error {
		if err := printFound(w, found); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "Written: %s. Look through it, then check the data: bwlm verify %s\n",
			filepath.Join(f.out, imports.FileName), f.out)
		return err
	})
}

// previewed prints the description, then what is wrong with the data.
func (a *app) previewed(ctx context.Context, found *imports.Found) error {
	err := found.Check(ctx)
	if a.json {
		if err != nil {
			return err
		}
		return a.print(found)
	}
	a.answered = true
	if _, e := a.out.Write(found.YAML()); e != nil {
		return e
	}
	for _, note := range found.Notes {
		a.ui.Note("note: %s", note)
	}
	return err
}

// printFound writes a line for each story and subject, then what was guessed and left out.
func printFound(w io.Writer, f *imports.Found) error {
	var rows [][]string
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			n := len(r.Shape)
			rows = append(rows, []string{p.Name, r.Story, fmt.Sprint(r.Shape[n-2]), fmt.Sprint(r.Shape[n-1]),
				relativeTo(f.Source, r.File)})
		}
	}
	if err := ui.Table(w, []string{"subject", "story", "rows", "voxels", "file"}, rows); err != nil {
		return err
	}
	for _, text := range f.Guessed {
		fmt.Fprintf(w, "Guessed: %s.\n", text)
	}
	for _, text := range f.Notes {
		fmt.Fprintf(w, "Note: %s.\n", inTerms(text))
	}
	for _, l := range f.LeftOut {
		fmt.Fprintf(w, "Left out: %s: %s.\n", l.File, l.Why)
	}
	return nil
}

// relativeTo is a path below a folder without the folder.
func relativeTo(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		return rel
	}
	return path
}
