package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/version"
	"github.com/brainwavlm/bwlm/torch"
)

// versions returns the versions behind a result.
type versions struct {
	Version  string `json:"version"`
	Commit   string `json:"commit"` // empty if the build did not record it
	Dirty    bool   `json:"dirty"`  // the sources had changes that are in no commit
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
	Libtorch string `json:"libtorch"`
}

func versionCommand(a *app) *cobra.Command {
	var licences bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of bwlm, Go and libtorch",
		Long: "Prints the version of bwlm, the commit it was built from, Go's version, the platform, and " +
			"libtorch's version.\n\nWith --licences it prints the licences of everything that a package of bwlm " +
			"contains instead.",
		Example: "  bwlm version --json\n  bwlm version --licences | less",
		Args:    wantArgs(),
		RunE: func(*cobra.Command, []string) error {
			if licences {
				return printLicences(a)
			}
			if err := torch.Available(); err != nil {
				return err
			}
			v := currentVersions()
			answer := struct {
				Schema int `json:"schema"`
				versions
			}{1, v}
			return a.answer(answer, func(w io.Writer) error {
				_, err := fmt.Fprintf(w, "bwlm %s\n%s %s/%s\nlibtorch %s\n", v.Version, v.Go, v.OS, v.Arch, v.Libtorch)
				return err
			})
		},
	}
	c.Flags().BoolVar(&licences, "licences", false, "print the licences of what this package of bwlm contains")
	return c
}

func currentVersions() versions {
	commit, dirty := version.Commit()
	return versions{version.String(), commit, dirty, runtime.Version(), runtime.GOOS, runtime.GOARCH, torch.Version()}
}
