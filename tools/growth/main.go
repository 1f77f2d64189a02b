// Command growth measures how the cost of a tuning step grows: with windows, their length, voxels,
// subjects and threads, each alone while the others stay. It prints one table in Markdown for each,
// with the straight line that fits the times best.
//
//	make build
//	go run ./tools/growth > growth.md
//	go run ./tools/growth -windows 8,16,32 -voxels= -seconds= -subjects= -threads=      # one axis, smaller
//
// Each point is a process of its own, so that its memory is its own: bin/bwlm bench step with
// random weights of WavLM Base size. Points are measured in turn, -rounds times, since a machine is
// rarely as fast in one minute as in the next.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// axis is one thing that grows.
type axis struct {
	name, unit string
	values     string // apart by commas
	threads    bool   // it is an environment variable and no flag
}

// point is one measured step.
type point struct {
	value float64
	times []float64 // medians of the rounds, in seconds
	mb    float64   // the most of all rounds
	gflop float64
	share float64 // of the peak, the last round's
}

func main() {
	axes := []*axis{
		{name: "windows", unit: "windows", values: "8,16,32,64,128"},
		{name: "seconds", unit: "s of a window", values: "0.5,1,2,4,8"},
		{name: "voxels", unit: "voxels", values: "5000,10000,20000,40000,80000"},
		{name: "subjects", unit: "subjects", values: "1,2,4,8,16"},
		{name: "threads", unit: "threads", values: "1,2", threads: true},
	}
	for _, a := range axes {
		flag.StringVar(&a.values, a.name, a.values, a.unit+"; none leaves the axis out")
	}
	bwlm := flag.String("bwlm", "bin/bwlm", "the program")
	dtype := flag.String("dtype", "f32", "f32 or bf16")
	steps := flag.Int("steps", 3, "steps of a round")
	rounds := flag.Int("rounds", 3, "rounds")
	flag.Parse()
	common := []string{"bench", "step", "--json", "--quiet", "--windows", "8", "--voxels", "5000", "--dtype", *dtype,
		"--steps", strconv.Itoa(*steps)}
	fmt.Printf("Other sizes: 8 windows of 4 s, 5000 voxels, one subject, %s, all threads. %d rounds in turn, of %d "+
		"steps each.\n", *dtype, *rounds, *steps)
	for _, a := range axes {
		points, err := a.measure(context.Background(), *bwlm, common, *rounds)
		if err == nil && len(points) > 0 {
			err = table(os.Stdout, a, points)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "growth:", err)
			os.Exit(1)
		}
	}
}

// measure runs all points of an axis in turn.
func (a *axis) measure(ctx context.Context, bwlm string, common []string, rounds int) (points []point, err error) {
	for text := range strings.SplitSeq(a.values, ",") {
		if text == "" {
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.name, err)
		}
		points = append(points, point{value: v})
	}
	for range rounds {
		for i := range points {
			if err := points[i].measure(ctx, a, bwlm, common); err != nil {
				return nil, err
			}
		}
	}
	return points, nil
}

// measure adds a round.
func (p *point) measure(ctx context.Context, a *axis, bwlm string, common []string) error {
	value := strconv.FormatFloat(p.value, 'g', -1, 64)
	args, env := slices.Clone(common), os.Environ()
	if a.threads {
		env = append(env, "OMP_NUM_THREADS="+value)
	} else {
		args = append(args, "--"+a.name, value) // the last of a flag's values holds
	}
	cmd := exec.CommandContext(ctx, bwlm, args...)
	cmd.Env, cmd.Stderr = env, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	var answer struct {
		Median float64 `json:"median_s"`
		MB     float64 `json:"peak_rss_mb"`
		GFLOP  float64 `json:"gflop"`
		Share  float64 `json:"peak_share"`
	}
	if err := json.Unmarshal(out, &answer); err != nil {
		return fmt.Errorf("answer of bwlm bench: %w", err)
	}
	p.times = append(p.times, answer.Median)
	p.mb, p.gflop, p.share = max(p.mb, answer.MB), answer.GFLOP, answer.Share
	fmt.Fprintf(os.Stderr, "%s %s: %.3f s, %.0f MB\n", value, a.unit, answer.Median, answer.MB)
	return nil
}

func (p point) median() float64 { return slices.Sorted(slices.Values(p.times))[len(p.times)/2] }

// table writes the points of an axis.
func table(w io.Writer, a *axis, points []point) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n| %s | median s | from - to | peak MB | GFLOP | share of peak |\n|--:|--:|--:|--:|--:|--:|\n",
		a.unit)
	var x, seconds, mb []float64
	for _, p := range points {
		fmt.Fprintf(&b, "| %g | %.3f | %.3f - %.3f | %.0f | %.0f | %.0f %% |\n", p.value, p.median(),
			slices.Min(p.times), slices.Max(p.times),
			p.mb, p.gflop, 100*p.share)
		x, seconds, mb = append(x, p.value), append(seconds, p.median()), append(mb, p.mb)
	}
	if len(points) > 2 && !a.threads {
		t, m := fit(x, seconds), fit(x, mb)
		fmt.Fprintf(&b, "\nTime: %s s, R² %.4f, exponent %.2f. Memory: %s MB, R² %.4f.\n", t, t.r2,
			exponent(x, seconds), m, m.r2)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
