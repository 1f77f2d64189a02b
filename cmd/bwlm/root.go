package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/internal/version"
)

// constructor makes one command.
type constructor func(*app) *cobra.Command

// commands lists every command in the order of the help; see doc.go for how to add one.
func commands() []constructor {
	return []constructor{
		demoCommand,
		initCommand,
		importCommand,
		checkTimingCommand,
		planCommand,
		lockAnalysisCommand,
		trainCommand,
		resumeCommand,
		rerunCommand,
		sweepCommand,
		evalCommand,
		verifyCommand,
		statsCommand,
		probeCommand,
		compareCommand,
		transferCommand,
		controlsCommand,
		variancePartitionCommand,
		reportCommand,
		exportCommand,
		publishCommand,
		featuresCommand,
		predictCommand,
		serveCommand,
		ridgeCommand,
		mergeCommand,
		convertCommand,
		roiCommand,
		plotCommand,
		adapterCommand,
		cacheCommand,
		benchCommand,
		doctorCommand,
		versionCommand,
	}
}

const rootHelp = `bwlm fine-tunes a speech model (WavLM) on fMRI responses to speech, with low-rank adapters (LoRA), and
evaluates the change: how well features of the speech model predict each voxel, before and after tuning, on held-out
stories.

Results go to standard output, everything else to standard error. With --json a result is one JSON object, and so is an
error: {"error": {"code", "op", "path", "reason", "hint"}}.

Exit codes:
  0  done                       69  device or library not there     75  may go well if tried again
  1  internal error             71  out of memory                  130  interrupted, state saved
  2  wrong flags or experiment  73  output exists or is locked     143  terminated, state saved
  65 bad data                   74  reading or writing failed
  66 missing input`

const rootExample = `  bwlm init > exp.yaml      # a commented experiment file to fill in
  bwlm doctor               # hardware and libraries of this machine
  bwlm help init            # more about a command`

// newRoot makes the command tree.
func newRoot(a *app, commands []constructor) *cobra.Command {
	cobra.EnableCommandSorting = false // the help keeps the order of commands
	root := &cobra.Command{
		Use:              "bwlm COMMAND",
		Short:            "Fine-tune speech models on brain responses",
		Long:             rootHelp,
		Example:          rootExample,
		Version:          version.String(),
		Args:             onlyCommands,
		SilenceErrors:    true, // run reports them
		SilenceUsage:     true,
		RunE:             func(c *cobra.Command, _ []string) error { return c.Help() },
		PersistentPreRun: func(c *cobra.Command, _ []string) { a.command = c.Name() },
	}
	root.SetOut(a.out)
	root.SetVersionTemplate("bwlm {{.Version}}\n")
	root.SetFlagErrorFunc(badFlag)
	root.SetUsageTemplate(helpTemplate)
	root.SetHelpTemplate("{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}\n\n{{end}}{{.UsageString}}")
	root.SetHelpCommand(helpCommand())

	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "print one JSON object")
	flags.BoolVarP(&a.ui.Quiet, "quiet", "q", false, "print no notes and no progress")
	flags.BoolVar(&a.debug, "debug", false, "show causes and stacks of errors")

	for _, c := range commands {
		root.AddCommand(c(a))
	}
	root.InitDefaultCompletionCmd()
	explainCompletion(root)
	return root
}

// helpTemplate puts the examples before the lists, since that is what one looks for first.
const helpTemplate = `Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND [flags]{{else}}{{.UseLine}}{{end}}
{{- if .HasExample}}

Examples:
{{.Example}}{{end}}
{{- if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}}  {{.Short}}{{end}}{{end}}{{end}}
{{- if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}
{{- if .HasAvailableInheritedFlags}}

Flags of every command:
{{.InheritedFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}{{end}}
`

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: "  bwlm help init",
		RunE: func(c *cobra.Command, args []string) error {
			of, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(of, rest[0])
			}
			of.InitDefaultHelpFlag()
			return of.Help()
		},
	}
}

// explainCompletion adds to cobra's own completion command what its help leaves out.
func explainCompletion(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Short = "Print a shell completion script"
		c.Example = "  source <(bwlm completion bash)\n  bwlm completion fish > ~/.config/fish/completions/bwlm.fish"
		c.Args = onlyCommands
		c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		for _, shell := range c.Commands() {
			shell.Short = "For " + shell.Name()
			shell.Example = "  bwlm completion " + shell.Name()
			shell.Args = wantArgs()
			shell.Long = strings.ReplaceAll(shell.Long, "\t", "  ")
		}
	}
}
