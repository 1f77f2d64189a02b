// Command build makes a data set of the sounds and fMRI components of Norman-Haignere, Kanwisher and McDermott (2015)
// from a folder that examples/natsound/fetch.sh has filled. Nothing is copied but the tables of sounds. With the
// electrodes of Norman-Haignere et al. (2022) it makes one of these and the same sounds instead, whose responses are
// copied into one file:
//
//	go run ./examples/natsound/build -from sources -out data/natsound
//	go run ./examples/natsound/build -from sources -ecog electrodes -out data/natsound-ecog
package main

import (
	"context"
	"encoding/csv"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
)

const op = "build natsound"

// groups of related categories, which are held out together where categories alone could leak.
var groups = map[string]string{"EngSpeech": "speech", "ForSpeech": "speech", "Music": "music", "Song": "music",
	"HumVoc": "human", "HumNonVoc": "human", "AniVoc": "animal", "AniNonVoc": "animal",
	"EnvSound": "environment", "Mechanical": "environment", "Nature": "environment"}

// components are the columns of R in components.mat.
var components = []string{"lowfreq", "highfreq", "envsounds", "pitch", "speech", "music"}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	from := flags.String("from", "", "folder that fetch.sh has filled")
	ecog := flags.String("ecog", "", "folder of electrodes that fetch.sh ecog has filled, for a data set of these")
	out := flags.String("out", "data/natsound", "folder of the data set")
	folds := flags.String("folds", "examples/natsound/folds.tsv", "table of the sounds and their folds")
	if err := flags.Parse(args); err != nil {
		return err
	}
	source, err := filepath.Abs(*from)
	if err != nil {
		return fault.Wrap(fault.IO, op, *from, err)
	}
	if err := os.MkdirAll(*out, 0o755); err != nil {
		return fault.Wrap(fault.IO, op, *out, err)
	}
	table, err := sounds(filepath.Join(source, "sounds", "category_labels.csv"))
	if err != nil {
		return err
	}
	text, err := os.ReadFile(*folds)
	if err != nil {
		return fault.Wrap(fault.Missing, op, *folds, err)
	}
	if *ecog != "" {
		described, err := describeECoG(ctx, *ecog, filepath.Join(source, "stimuli", "wav"), *out, namesIn(table))
		if err == nil {
			err = writeAll(*out, map[string]string{"sounds.tsv": table, "folds.tsv": string(text),
				"dataset.yaml": described})
		}
		if err != nil {
			return err
		}
		return check(ctx, *out, "electrodes", stdout)
	}
	var rois []string
	for i, name := range components {
		rois = append(rois, fmt.Sprintf("%s: [%d]", name, i))
	}
	description := fmt.Sprintf(`name: natsound
licence: none stated
citation: Norman-Haignere, Kanwisher and McDermott 2015, Neuron 88
design: event
clip_seconds: 2
events: {table: [sounds.tsv, folds.tsv], audio: %q}
subjects:
  components: {file: %q, array: R}
rois: {%s}
`, filepath.Join(source, "stimuli", "wav", "{clip}.wav"), filepath.Join(source, "data", "components.mat"),
		strings.Join(rois, ", "))
	err = writeAll(*out, map[string]string{"sounds.tsv": table, "folds.tsv": string(text),
		"dataset.yaml": description})
	if err != nil {
		return err
	}
	return check(ctx, *out, "components", stdout)
}

// check opens the data set that was made.
func check(ctx context.Context, out, subject string, stdout io.Writer) error {
	data, err := dataset.Open(out)
	if err != nil {
		return err
	}
	m, err := data.ReadResponses(ctx, subject, dataset.EventStory)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(stdout, "%s: %d sounds, %d %s\n", out, len(data.Events()), m.Voxels, subject)
	return err
}

// sounds reads the authors' table, a name and a category on each line, and returns that of the data set.
func sounds(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fault.Wrap(fault.Missing, op, path, err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return "", fault.Wrap(fault.BadData, op, path, err)
	}
	var b strings.Builder
	b.WriteString("sound\tcategory\tgroup\n")
	for i, line := range lines {
		if len(line) != 2 || groups[line[1]] == "" {
			return "", fault.New(fault.BadData, op, fmt.Sprintf("%s:%d", path, i+1), "%q is no name and category",
				strings.Join(line, ","))
		}
		fmt.Fprintf(&b, "%s\t%s\t%s\n", line[0], line[1], groups[line[1]])
	}
	return b.String(), nil
}

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(int(fault.KindOf(err)))
	}
}
