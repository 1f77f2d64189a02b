package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// wantArgs accepts exactly the named arguments; its error names a missing or extra one.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch {
		case len(args) < len(names):
			return usage(c, "%s is missing", names[len(args)])
		case len(args) > len(names):
			return usage(c, "%q is one argument too many", args[len(names)])
		}
		return nil
	}
}

// usage makes an error about how a command was called.
func usage(c *cobra.Command, why string, args ...any) *fault.Error {
	what := strings.TrimPrefix(c.CommandPath(), c.Root().Name()) // the line begins with bwlm anyway
	return fault.New(fault.Usage, strings.TrimSpace(what), "", why, args...).
		WithHint("see `%s --help`", c.CommandPath())
}

// badFlag explains what pflag did not understand.
func badFlag(c *cobra.Command, err error) error {
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		f := wrong.GetFlag()
		return usage(c, "--%s wants a %s, got %q", f.Name, f.Value.Type(), wrong.GetValue())
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok || unknown.GetSpecifiedShortnames() != "" {
		return usage(c, "%s", err.Error())
	}
	if is := retiredFlags[unknown.GetSpecifiedName()]; is != "" && c.Flags().Lookup(is) != nil {
		return usage(c, "--%s is now --%s", unknown.GetSpecifiedName(), is)
	}
	if args := c.Flags().Args(); c.HasAvailableSubCommands() && len(args) > 0 {
		return unknownCommand(c, args[0]) // whose flag it is meant to be
	}
	e := usage(c, "unknown flag --%s", unknown.GetSpecifiedName())
	var flags []string
	c.Flags().VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	if near := suggest.Nearest(unknown.GetSpecifiedName(), slices.Values(flags)); near != "" {
		return e.WithHint("did you mean --%s?", near)
	}
	return e
}

// onlyCommands refuses an argument where the name of a command should stand.
func onlyCommands(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return unknownCommand(c, args[0])
}

func unknownCommand(c *cobra.Command, name string) error {
	if is := retiredCommands[name]; is != "" && !c.HasParent() {
		return usage(c, "`%s %s` is now `%s %s`", c.CommandPath(), name, c.CommandPath(), is)
	}
	e := usage(c, "unknown command %q", name)
	var known []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			known = append(known, sub.Name())
		}
	}
	if near := suggest.Nearest(name, slices.Values(known)); near != "" {
		return e.WithHint("did you mean `%s %s`?", c.CommandPath(), near)
	}
	return e
}

// experimentFlags are the flags of commands that read an experiment file.
type experimentFlags struct {
	set     []string
	leak    bool
	repeats bool
}

const testRepeatsFlag = "use-test-repeats"

func (x *experimentFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&x.set, "set", nil,
		"change a `key=value` of the experiment, the value as YAML; repeatable")
	c.Flags().BoolVar(&x.leak, "allow-leak", false,
		"allow splits that share audio; recorded in all results (data.allow_leak)")
	c.Flags().BoolVar(&x.repeats, testRepeatsFlag, false,
		"allow train.reliability: test; named in all tables (data.use_test_repeats)")
}

// given reports whether a flag changes the experiment.
func (x *experimentFlags) given() bool { return len(x.set) > 0 || x.leak || x.repeats }

// settings are the changes as of --set.
func (x *experimentFlags) settings() []string {
	out := slices.Clone(x.set)
	if x.leak {
		out = append(out, "data.allow_leak=true")
	}
	if x.repeats {
		out = append(out, "data.use_test_repeats=true")
	}
	return out
}

// load reads and validates the file with the changes of --set. A pipe may be read too; a signal ends the wait for it.
func (x *experimentFlags) load(ctx context.Context, path string) (*experiment.Experiment, error) {
	return experiment.LoadContext(ctx, path, x.settings()...)
}
