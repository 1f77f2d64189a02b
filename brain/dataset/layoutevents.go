package dataset

import (
	"context"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
)

// clipInPath stands for the name of a clip in events/audio.
const clipInPath = "{clip}"

// events reads the tables of clips: the first column of each names them, the others are labels. The first table has
// the clips in the order of the rows of responses; others add labels to some or all of these.
func (l *layout) events(path string, n *yaml.Node) error {
	var audio string
	var tables []string
	err := l.fields(path, n, layoutKeys["events"], func(name, path string, v *yaml.Node) error {
		if name == "audio" {
			return l.text(path, v, &audio)
		}
		if v.Kind == yaml.ScalarNode {
			tables = append(tables, "")
			return l.text(path, v, &tables[0])
		}
		return l.list(path, v, func(item *yaml.Node) error {
			tables = append(tables, "")
			return l.text(path, item, &tables[len(tables)-1])
		})
	})
	if err != nil {
		return err
	}
	if len(tables) == 0 {
		return l.fail(n, "%s needs table: the clips, a line each", path)
	}
	if audio != "" && !strings.Contains(audio, clipInPath) {
		return l.fail(n, "%s/audio names one file, want %s in it for the name of the clip", path, clipInPath)
	}
	for i, table := range tables {
		if err := l.eventTable(table, i == 0); err != nil {
			return err
		}
	}
	for i := range l.spec.Events {
		e := &l.spec.Events[i]
		file := strings.ReplaceAll(audio, clipInPath, e.Name)
		if own := e.Labels["audio"]; own != "" {
			file = own
		}
		if file != "" {
			e.Audio = fromFile(l.files, file, l.sound.of(e.Name))
		}
	}
	return nil
}

// eventTable reads one table. The first one lists the clips.
func (l *layout) eventTable(file string, first bool) error {
	text, err := l.files.read(file)
	if err != nil {
		return err
	}
	where := l.files.join(file)
	l.tables = append(l.tables, where)
	fail := func(line int, why string, args ...any) *fault.Error {
		return fault.New(fault.BadData, "read clips", where+":"+strconv.Itoa(line), why, args...)
	}
	table := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(text), "\ufeff")))
	table.Comma, table.LazyQuotes, table.FieldsPerRecord = '\t', true, -1
	head, err := table.Read()
	if err != nil {
		return fail(1, "there is no line with the names of columns")
	}
	at := map[string]int{}
	for i, e := range l.spec.Events {
		at[e.Name] = i
	}
	for {
		fields, err := table.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := table.FieldPos(0)
		if err != nil {
			return fault.Wrap(fault.BadData, "read clips", where, err)
		}
		if len(fields) != len(head) {
			return fail(line, "%d fields, the first line names %d columns", len(fields), len(head))
		}
		i, known := at[fields[0]]
		switch {
		case first && known:
			return fail(line, "clip %s is listed twice", fields[0])
		case first:
			i = len(l.spec.Events)
			at[fields[0]] = i
			l.spec.Events = append(l.spec.Events, Event{Name: fields[0], Labels: map[string]string{}})
		case !known:
			return fail(line, "there is no clip %q in the first table", fields[0])
		}
		for c, column := range head[1:] {
			l.spec.Events[i].Labels[column] = fields[c+1]
		}
	}
}

// eventResponses reads the responses of a subject to the clips.
func (l *layout) eventResponses(path string, n *yaml.Node) ([]Response, error) {
	var file, array string
	var step float64
	var seconds []float64
	read := func() error { return l.text(path, n, &file) }
	if n.Kind == yaml.MappingNode {
		read = func() error {
			err := l.fields(path, n, layoutKeys["subjects/SUBJECT"], func(name, path string, v *yaml.Node) error {
				switch name {
				case "file":
					return l.text(path, v, &file)
				case "array":
					return l.text(path, v, &array)
				case "step_seconds":
					return l.number(path, v, &step)
				}
				return l.list(path, v, func(item *yaml.Node) error {
					seconds = append(seconds, 0)
					return l.number(path, item, &seconds[len(seconds)-1])
				})
			})
			if err == nil && file == "" {
				return l.fail(n, "%s needs file", path)
			}
			return err
		}
	}
	if err := read(); err != nil {
		return nil, err
	}
	r := l.opened(file, array)
	if l.spec.Design == DesignSeries && (step != 0 || seconds != nil) {
		return nil, l.fail(n, "step_seconds and seconds have no part in the design series").
			WithHint("set step_ms and bin_ms of the data set")
	}
	if step != 0 || seconds != nil {
		if !(step > 0) || len(seconds) != 2 || !(seconds[0] >= 0 && seconds[1] > seconds[0]) {
			return nil, l.fail(n, "%s needs step_seconds above 0 and seconds: [FROM, TO]", path)
		}
		inner := r
		r = Response{Source: Input[Source]{Path: inner.path(), Load: func(ctx context.Context) (Source, error) {
			opened, err := inner.open(ctx, "time courses of clips")
			if err != nil {
				return nil, err
			}
			from, to := int(math.Round(seconds[0]/step)), int(math.Round(seconds[1]/step))
			if to > opened.Rows || from >= to {
				return nil, fault.New(fault.BadData, "read responses", opened.Where,
					"%d times of %g s are no response from %g to %g s", opened.Rows, step, seconds[0], seconds[1])
			}
			mean := rowsource.Binning{From: from, Size: to - from, Rows: 1}
			return rowsource.Joined(rowsource.Bins(opened.Source, mean)), nil
		}}}
	}
	return []Response{r}, nil
}

// opened returns the responses in a file, or in an array of it.
func (l *layout) opened(file, array string) (r Response) {
	switch {
	case array != "" || arrayfile.Has(file):
		r.Source = fromFile(l.files, file, arrayOf(array))
	case isNPY(file):
		r.Source = fromFile(l.files, file, folder.source)
	default:
		r.Source = fromFile(l.files, file, folder.text)
	}
	return r
}
