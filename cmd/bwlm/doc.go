// Command bwlm tunes a speech model on brain responses and measures what that changes.
//
// # How to add a command
//
// Write one file, named for the command, with one constructor, and list it in commands (root.go)
// and, if it computes, in computing (process.go):
//
//	func scoreCommand(a *app) *cobra.Command {
//		var exp experimentFlags
//		c := &cobra.Command{
//			Use:     "score EXPERIMENT",
//			Short:   "One line, without a full stop",
//			Long:    "What it does, what it reads and writes, what it refuses.",
//			Example: "  bwlm score exp.yaml --set train.seed=1",
//			Args:    wantArgs("EXPERIMENT"),
//			RunE: func(c *cobra.Command, args []string) error {
//				e, err := exp.load(c.Context(), args[0])
//				if err != nil {
//					return err
//				}
//				p := a.ui.Progress("score", 0, steps)
//				defer p.End()
//				result, err := brain.Score(c.Context(), e, func(n int, r float64) { p.Set(n, fmt.Sprint(r)) })
//				if err != nil {
//					return err
//				}
//				return a.answer(result, func(w io.Writer) error { return ui.Table(w, head, rows(result)) })
//			},
//		}
//		exp.add(c)
//		return c
//	}
//
// Errors: return them; main prints one line and picks the exit code by fault.KindOf. Nothing is printed on the way.
//
// Answers go to standard output through a.answer, which prints its value as JSON under --json and
// else calls the function; a command answers once. A value that --json prints has a field Schema
// `json:"schema"`, 1 until its form changes.
//
// Everything else goes to standard error through a.ui: Note, Warn, Progress.
//
// Cancel: c.Context() ends at the first SIGINT, SIGTERM or SIGUSR1. A long command hands it to the
// library, which finishes the step, saves, and returns an error that wraps the context's; the exit
// code is then 130 or 143. Commands handle no signals.
package main
