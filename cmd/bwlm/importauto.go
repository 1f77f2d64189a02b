package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/brainwavlm/bwlm/internal/brain/imports/deniz"
	"github.com/brainwavlm/bwlm/internal/brain/imports/huthbox"
)

func importAutoCommand(a *app) *cobra.Command {
	var f importFlags
	var tr float64
	var audio []string
	c := &cobra.Command{
		Use:   "auto FOLDER",
		Short: "Tell which kind FOLDER is of, and import it as such",
		Long: `Tells the kind of FOLDER by the names of its files, says which it takes and why, and goes on as
the command of that kind does, with the flags that all kinds have. It looks for lebel, huthbox,
deniz and bids, in this order; what is none of them is arrays, which needs --tr.`,
		Example: "  bwlm import auto ds003020 --dry-run\n  bwlm import auto study --tr 2 --out data/study",
		Args:    wantArgs("FOLDER"),
		RunE: func(c *cobra.Command, args []string) error {
			kind, why := kindOf(args[0])
			a.ui.Note("note: taken as %s, since %s", kind, why)
			for _, of := range c.Parent().Commands() {
				if of.Name() == kind {
					return a.passOn(c, of, args)
				}
			}
			return fmt.Errorf("there is no kind %s", kind)
		},
	}
	f.add(c, false)
	f.addSelection(c)
	c.Flags().Float64Var(&tr, "tr", 0, "`seconds` from one row to the next, for arrays")
	c.Flags().StringSliceVar(&audio, "audio", nil, "`folders` with recordings, besides FOLDER; not for lebel")
	return c
}

// kindOf tells the kind of a folder, and why.
func kindOf(folder string) (kind, why string) {
	there := func(pattern string) string {
		found, _ := filepath.Glob(filepath.Join(folder, pattern))
		if len(found) == 0 {
			return ""
		}
		return relativeTo(folder, found[0]) + " is there"
	}
	for _, k := range []struct {
		kind string
		why  func() string
	}{
		{"lebel", func() string { return there("derivative*/respdict.json") }},
		{"huthbox", func() string { return huthbox.Claims(folder) }},
		{"deniz", func() string { return deniz.Claims(folder) }},
		{"bids", func() string { return there("dataset_description.json") }},
		{"bids", func() string { return there("sub-*/func") + there("sub-*/ses-*/func") }},
	} {
		if why := k.why(); why != "" {
			return k.kind, why
		}
	}
	if info, err := os.Stat(folder); err == nil && !info.IsDir() {
		return "arrays", "it is a file"
	}
	return "arrays", "it has none of the files by which the other kinds are known"
}

// passOn runs the command of a kind with the flags of auto that were given.
func (a *app) passOn(from, to *cobra.Command, args []string) (err error) {
	to.SetContext(from.Context())
	from.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed || err != nil {
			return
		}
		if to.Flags().Lookup(flag.Name) == nil {
			err = usage(from, "%s has no flag --%s", to.CommandPath(), flag.Name)
			return
		}
		own, given := to.Flags().Lookup(flag.Name), flag.Value
		if list, ok := given.(pflag.SliceValue); ok {
			err = own.Value.(pflag.SliceValue).Replace(list.GetSlice())
			own.Changed = true
		} else {
			err = to.Flags().Set(flag.Name, given.String())
		}
	})
	if err != nil {
		return err
	}
	return to.RunE(to, args)
}
