package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/elements"
)

func importCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "import KIND",
		Short: "Make a data set of a laboratory's files",
		Long: `Finds stories, subjects and responses in the files of a source and makes a folder of them:
dataset.yaml, which names everything and says how each clock was derived, experiment.yaml to start
from, and import.json with the origin of every file. Nothing is written to the source.

Responses are copied as .npy (TRs × voxels, float32) that NumPy maps, or with --link named where
they lie. A voxel that is NaN in all rows of a story is left out of the subject, or, with --link
and where subjects share a space, keeps its column and is named under empty; voxels.json says so.
NaN in single rows is refused. Where git-annex lists a digest, the content is compared with it.

A folder appears whole. An import that was interrupted leaves DIR.tmp; the same command goes on
from there.

At the end recordings are compared with each other (stories that share audio are named, and stay
in one split of experiment.yaml) and responses with recordings, as bwlm check-timing does, on some
stories and on the 500 voxels of each subject whose repeats agree best. What is found is printed
and stands in import.json; --check=false leaves it out.

--dry-run prints what was found and writes nothing. Content that was not fetched (git-annex, Git
LFS) is an error (66) with the one line that gets it; what is known without it is printed all the
same. --json prints what import.json holds, or with --dry-run what was found: {"schema", "kind",
"source", "name", "tr_seconds", "row_time", "trimmed", "stories", "subjects", "guessed",
"left_out", "notes", "missing": [{"path", "bytes", "key"}], "missing_bytes", "get", "copy_bytes"}
and more.`,
		Example: "  bwlm import lebel ds003020 --subjects UTS03 --out uts03\n" +
			"  bwlm import bids ds002345 --space MNI152NLin2009cAsym --task tunnel --out tunnel\n" +
			"  bwlm import arrays study --tr 2 --out data/study",
		Args: onlyCommands,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(importLebelCommand(a), importHuthBoxCommand(a), importDenizCommand(a), importBIDSCommand(a),
		importArraysCommand(a), importAutoCommand(a))
	return c
}

// importFlags are the flags of every kind of source.
type importFlags struct {
	out               string
	dryRun, force     bool
	check             bool
	link, copy        bool
	dtype, voxels     string
	subjects, stories []string
}

// add adds the flags. linked says whether responses are named where they lie unless something else is asked for.
func (f *importFlags) add(c *cobra.Command, linked bool) {
	flags := c.Flags()
	flags.StringVar(&f.out, "out", "", "`directory` to make, outside the source")
	flags.BoolVar(&f.dryRun, "dry-run", false, "print what was found and write nothing")
	flags.BoolVar(&f.check, "check", true, "at the end compare recordings with each other, and responses with them")
	flags.BoolVar(&f.force, "force", false, "replace a directory that an import made")
	flags.BoolVar(&f.link, "link", linked, "name responses where they lie, and copy nothing")
	flags.BoolVar(&f.copy, "copy", !linked, "copy responses as .npy")
	flags.StringVar(&f.dtype, "dtype", "f4", "`type` of copied numbers: f4 or f8")
}

// addSelection adds the flags that select subjects and stories.
func (f *importFlags) addSelection(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.subjects, "subjects", nil,
		"only these subjects: `names` or patterns, separated by commas")
	c.Flags().StringSliceVar(&f.stories, "stories", nil, "only these stories: `names` or patterns, separated by commas")
}

// allVoxels is the value of --voxels for all columns.
const allVoxels = "all"

// addVoxels adds the flag that selects columns, with a word of what the kind has besides all and a file.
func (f *importFlags) addVoxels(c *cobra.Command, besides string) {
	c.Flags().StringVar(&f.voxels, "voxels", allVoxels,
		"`columns` to import: all, "+besides+"or those that FILE.npy lists")
}

// keep selects the columns that --voxels says; those of the cortex where a kind knows them.
func (f *importFlags) keep(c *cobra.Command, found *imports.Found, cortical func(*imports.Found) error) error {
	switch {
	case f.voxels == allVoxels:
		return nil
	case f.voxels != "cortical":
		return found.KeepFile(f.voxels)
	case cortical == nil:
		return usage(c, "--voxels: there is no mask of the cortex").
			WithHint("name a file of columns: --voxels FILE.npy")
	}
	return cortical(found)
}

// options checks the flags that are common to all kinds.
func (f *importFlags) options(c *cobra.Command, a *app) (opt imports.Options, err error) {
	opt = imports.Options{Dir: f.out, Link: f.link, Force: f.force, Check: f.check,
		Command: append([]string{"bwlm"}, os.Args[1:]...)}
	if c.Flags().Changed("copy") {
		opt.Link = !f.copy
	}
	switch f.dtype {
	case "f4":
		opt.DType = elements.Float32
	case "f8":
		opt.DType = elements.Float64
	default:
		return opt, usage(c, "--dtype: %s, want f4 or f8", f.dtype)
	}
	switch flags := c.Flags(); {
	case flags.Changed("link") && flags.Changed("copy") && f.link == f.copy:
		return opt, usage(c, "--link and --copy exclude each other")
	case f.out == "" && !f.dryRun:
		return opt, usage(c, "--out is missing; --dry-run prints what there is to import")
	}
	return opt, nil
}

// imported writes what was found, and prints it.
func (a *app) imported(c *cobra.Command, found *imports.Found, f *importFlags) error {
	opt, err := f.options(c, a)
	if err != nil {
		return err
	}
	if f.dryRun {
		return a.previewed(found, opt)
	}
	debug.SetGCPercent(25) // what is kept is small, and what is read goes by
	var bar *ui.Progress
	task := ""
	opt.Progress = func(now string, done, total int, what string) {
		if bar == nil || now != task {
			if bar != nil {
				bar.End()
			}
			bar, task = a.ui.Progress(now, done, total), now
		}
		bar.Set(done, what)
	}
	record, err := found.Import(c.Context(), opt)
	if bar != nil {
		bar.End()
	}
	if err != nil {
		return err
	}
	return a.answer(record, func(w io.Writer) error {
		if err := printFound(w, found); err != nil {
			return err
		}
		for _, v := range record.Voxels {
			whole := v.Source
			if v.Selection != nil {
				fmt.Fprintf(w, "Selected: %d of %d voxels of %s, by %s.\n", v.Selection.Columns, v.Source, v.Subject,
					v.Selection.From)
				whole = v.Selection.Columns
			}
			if n := len(v.Empty); whole == v.Columns && n > 0 {
				fmt.Fprintf(w, "Empty: %d of %d voxels of %s, which are NaN in all rows of a story.\n", n, whole,
					v.Subject)
			}
			if n := whole - v.Columns; n > 0 {
				fmt.Fprintf(w, "Left out: %d of %d voxels of %s, which are NaN in all rows of a story.\n", n,
					whole, v.Subject)
			}
		}
		printValues(w, record.Files)
		for _, r := range record.Files {
			if n := r.Values.Constant; n > 0 {
				fmt.Fprintf(w, "Constant: %d of %d voxels of %s in story %s, which score 0.\n", n,
					r.Shape[len(r.Shape)-1], r.Subject, r.Story)
			}
		}
		if err := printImportedTiming(w, record.Timing, f.out); err != nil {
			return err
		}
		printWork(w, record.AudioSeconds, f.out)
		_, err := fmt.Fprintf(w, "Written: %s. Look through %s in it. `bwlm verify %s` checks all values, `bwlm train "+
			"%s/experiment.yaml --set model.path=MODEL` trains.\n", f.out, imports.FileName, f.out, f.out)
		return err
	})
}

// preview is what was found and what it needs.
type preview struct {
	*imports.Found
	MissingBytes int64  `json:"missing_bytes"` // of the content that is not there, as far as sizes are known
	Get          string `json:"get"`           // the command that gets it; "" if there is none
	CopyBytes    int64  `json:"copy_bytes"`    // of disk; 0 if nothing is copied
}

func previewOf(found *imports.Found, opt imports.Options) preview {
	p := preview{Found: found, Get: found.Get()}
	p.MissingBytes, _ = found.MissingBytes()
	if !opt.Link {
		p.CopyBytes = found.Need(opt.DType)
	}
	return p
}

// previewed prints what was found and what it needs. Content that is not there is an error after it.
func (a *app) previewed(found *imports.Found, opt imports.Options) error {
	p := previewOf(found, opt)
	if err := a.answer(p, func(w io.Writer) error {
		if err := printFound(w, found); err != nil {
			return err
		}
		if p.CopyBytes > 0 {
			fmt.Fprintf(w, "A copy needs %s of disk.\n", imports.Size(p.CopyBytes))
		}
		return nil
	}); err != nil {
		return err
	}
	return found.Complete()
}

// printFound writes a line for each story and subject, then what was guessed and left out.
func printFound(w io.Writer, f *imports.Found) error {
	var rows [][]string
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			repeats, n, voxels := r.Extent()
			known := func(n int) string {
				if n == 0 { // of content that is not there
					return "?"
				}
				return fmt.Sprint(n)
			}
			rows = append(rows, []string{p.Name, r.Story, fmt.Sprint(repeats), known(n), known(voxels),
				relativeTo(f.Source, r.File)})
		}
	}
	if len(rows) > 0 { // else the content of all responses is not there
		head := []string{"subject", "story", "repeats", "rows", "voxels", "file"}
		if err := ui.Table(w, head, rows); err != nil {
			return err
		}
	}
	printClocks(w, f)
	for _, text := range f.Guessed {
		fmt.Fprintf(w, "Guessed: %s.\n", text)
	}
	for _, text := range f.Notes {
		fmt.Fprintf(w, "Note: %s.\n", inTerms(text))
	}
	for _, l := range f.LeftOut {
		fmt.Fprintf(w, "Left out: %s: %s.\n", l.File, inTerms(l.Why))
	}
	return nil
}

// printClocks writes how the clock of each story was derived, and those of subjects that differ from the first.
func printClocks(w io.Writer, f *imports.Found) {
	known := map[string]string{}
	for _, p := range f.Subjects {
		for _, r := range p.Responses {
			switch first, seen := known[r.Story]; {
			case r.Derived == "" || r.Derived == first:
			case !seen:
				known[r.Story] = r.Derived
				fmt.Fprintf(w, "Clock of %s: %s.\n", r.Story, r.Derived)
			default:
				fmt.Fprintf(w, "Clock of %s in %s: %s.\n", r.Story, p.Name, r.Derived)
			}
		}
	}
}

// relativeTo is a path below a folder without the folder.
func relativeTo(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		return rel
	}
	return path
}
