// Command table scores the folds of examples/natsound together: r of each component over all sounds, each predicted by
// the fold that does not use it, and tuned − untuned with intervals and p. Several runs (seeds) are averaged first:
//
//	go run ./examples/natsound/table -sounds data/natsound/sounds.tsv runs/natsound/seed-1 runs/natsound/seed-2
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("table", flag.ContinueOnError)
	sounds := flags.String("sounds", "data/natsound/sounds.tsv", "table of the sounds and their categories")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return fault.New(fault.Usage, "table", "", "want the out of a study, or several with other seeds")
	}
	category, err := categories(*sounds)
	if err != nil {
		return err
	}
	p, err := read(flags.Args(), category)
	if err != nil {
		return err
	}
	base, tuned, floor := p.r("base", nil), p.r("tuned", nil), p.r("features_category", nil)
	if base == nil {
		return fault.New(fault.BadData, "table", flags.Arg(0), "there are no predictions of the untuned model")
	}
	fmt.Fprintf(stdout, "%d sounds, %d runs\n", len(p.category), flags.NArg())
	fmt.Fprintf(stdout, "%-10s %6s %6s", "component", "labels", "base")
	if tuned == nil {
		fmt.Fprintln(stdout)
		for v, name := range p.components {
			fmt.Fprintf(stdout, "%-10s %6s %6.3f\n", name, number(floor, v), base[v])
		}
		return nil
	}
	sign, over := p.permute(10000), p.bootstrap(2000)
	holm := holm(sign)
	fmt.Fprintf(stdout, " %6s %7s  %-16s  %-16s  %6s %6s\n", "tuned", "delta", "95 %, sounds", "95 %, categories", "p",
		"Holm")
	for v, name := range p.components {
		x := over[v]
		fmt.Fprintf(stdout, "%-10s %6s %6.3f %6.3f %+7.3f  [%+.3f, %+.3f]  [%+.3f, %+.3f]  %6.3f %6.3f\n", name,
			number(floor, v), base[v], tuned[v], tuned[v]-base[v], x[0], x[1], x[2], x[3], sign[v], holm[v])
	}
	return nil
}

// number is element v of a list, - where there is none.
func number(list []float64, v int) string {
	if list == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", list[v])
}

// categories reads the category of each sound.
func categories(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(fault.Missing, "table", path, err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(fields) >= 2 {
			out[fields[0]] = fields[1]
		}
	}
	return out, nil
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
