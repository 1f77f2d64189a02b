package imports

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// YAML returns the description with comments on what was found, guessed and left out.
func (f *Found) YAML() []byte {
	var b bytes.Buffer
	comment := func(text string, args ...any) {
		fmt.Fprintf(&b, "# %s\n", quote.Escaped(fmt.Sprintf(text, args...), ""))
	}
	comment("Found in %s, as %s.", f.Source, f.Kind)
	comment("Paths are absolute: the files stay where they are. Every key is in docs/dataset-format.md.")
	for _, text := range f.Guessed {
		comment("Guessed: %s.", text)
	}
	fmt.Fprintf(&b, "\nname: %s\n", scalar(f.Name))
	fmt.Fprintf(&b, "# licence: CC0\n# citation: who is to be cited\n\n")
	fmt.Fprintf(&b, "tr_seconds: %g      # from one row to the next\n", f.TR)
	fmt.Fprintf(&b, "row_time: 0.5       # instant within its TR that a row stands for: 0 begin, 1 end (assumed)\n\n")
	comment("Row 0 is assumed to begin with the audio. If scanning began 10 s before it: first_tr_seconds: -10")
	fmt.Fprintf(&b, "stories:\n")
	for _, s := range f.Stories {
		fmt.Fprintf(&b, "  %s:\n    audio: %s\n", scalar(s.Name), scalar(s.Audio))
		if s.Words != "" {
			fmt.Fprintf(&b, "    words: %s\n", scalar(s.Words))
		}
		fmt.Fprintf(&b, "    first_tr_seconds: 0\n")
	}
	fmt.Fprintf(&b, "\nsubjects:\n")
	for _, p := range f.Subjects {
		fmt.Fprintf(&b, "  %s:\n", scalar(p.Name))
		for _, r := range p.Responses {
			fmt.Fprintf(&b, "    %s: %s    # %s\n", scalar(r.Story), scalar(r.File), shape(r.Shape))
		}
	}
	fmt.Fprintf(&b, "\n# rois:\n#   auditory: [0, 1, 2]        # columns, or the path of a .npy with them\n")
	if len(f.LeftOut) > 0 {
		b.WriteString("\n")
		comment("Left out:")
		for _, l := range f.LeftOut {
			comment("  %s: %s", l.File, l.Why)
		}
	}
	return b.Bytes()
}

// scalar is text as YAML takes it, on one line.
func scalar(text string) string {
	out, err := yaml.Marshal(text)
	line := strings.TrimSuffix(string(out), "\n")
	if err != nil || strings.Contains(line, "\n") || strings.HasPrefix(line, "|") {
		return fmt.Sprintf("%q", text)
	}
	return line
}

func shape(dims []int) string {
	text := make([]string, len(dims))
	for i, n := range dims {
		text[i] = fmt.Sprint(n)
	}
	return strings.Join(text, " × ")
}
