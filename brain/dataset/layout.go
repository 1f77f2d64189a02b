package dataset

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// layoutFile is the name of the file that describes the data set of a folder.
const layoutFile = "dataset.yaml"

// Open reads the description of a data set from its dataset.yaml; path is that file or its folder.
// The files that it names are read when they are needed. Errors in the description name line and
// column. Changes are made to the description before it is checked.
func Open(path string, changes ...func(*Spec)) (*Dataset, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if err := misnamed(path); err != nil {
			return nil, err
		}
		path = filepath.Join(path, layoutFile)
	}
	text, err := readFile(path, "YAML that describes a data set")
	if err != nil {
		return nil, err
	}
	sound := &recordings{}
	spec, doc, err := parse(text, path, sound)
	if err != nil {
		return nil, err
	}
	for _, change := range changes {
		change(spec)
	}
	sound.allowTruncated = spec.AllowTruncated
	*doc.kept = rowsource.Kept{Dir: spec.CacheDir, Only: spec.CacheOnly}
	if bad := spec.check(); bad != nil {
		bad.Path = doc.locate(bad.Path)
		return nil, bad
	}
	d, err := New(*spec)
	if err != nil {
		return nil, err
	}
	d.files = append([]string{path}, doc.tables...)
	return d, nil
}

// locate returns file, line, column and path of a key, or file and path of a key that is not in the
// file.
func (d *document) locate(key string) string {
	if n := d.at[key]; n != nil {
		return d.place(n) + ": " + quote.Escaped(key, "")
	}
	return d.file + ": " + quote.Escaped(key, "")
}

// parse reads a dataset.yaml. File is its path; the files that it names are found relative to its
// folder. Sound reads the recordings.
func parse(text []byte, file string, sound *recordings) (*Spec, *document, error) {
	var root yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&root); {
	case errors.Is(err, io.EOF):
		return nil, nil, fault.New(fault.BadData, "read data set", file, "the file is empty")
	case err != nil:
		return nil, nil, fault.Wrap(fault.BadData, "read data set", file, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, nil, fault.New(fault.BadData, "read data set", file, "there is more than one document in it")
	}
	kept := new(rowsource.Kept)
	r := &layout{
		document: document{file: file, at: make(map[string]*yaml.Node), kept: kept},
		files:    folder{filepath.Dir(file), kept},
		sound:    sound,
		spec:     Spec{Name: filepath.Base(filepath.Dir(file)), RowTime: .5},
	}
	if err := r.dataset(follow(root.Content[0])); err != nil {
		return nil, nil, err
	}
	return &r.spec, &r.document, nil
}

// layout makes a Spec of a document.
type layout struct {
	document
	files folder
	sound *recordings
	spec  Spec
	clips bool      // stimuli are clips
	moved []Subject // names with their motion: subjects may be listed after it
	own   []Subject // names with their spaces, likewise

	emptied []Subject // names with their empty columns, likewise
}

func (l *layout) dataset(n *yaml.Node) error {
	if n.Kind != yaml.MappingNode {
		return l.fail(n, "the file holds %s, want a mapping", kind(n))
	}
	l.designOf(n)
	err := l.fields("", n, layoutKeys[""], func(name, path string, v *yaml.Node) error {
		switch name {
		case "name":
			return l.text(path, v, &l.spec.Name)
		case "licence":
			return l.text(path, v, &l.spec.Licence)
		case "citation":
			return l.text(path, v, &l.spec.Citation)
		case "design":
			return l.text(path, v, &l.spec.Design)
		case "clip_seconds":
			if l.spec.Design == DesignSeries {
				return l.number(path, v, &l.spec.Series.Clip)
			}
			return l.number(path, v, &l.spec.TR)
		case "step_ms":
			return l.milliseconds(path, v, &l.spec.Series.Step)
		case "bin_ms":
			return l.milliseconds(path, v, &l.spec.TR)
		case "first_ms":
			return l.milliseconds(path, v, &l.spec.Series.First)
		case "baseline_ms":
			return l.baseline(path, v)
		case "channels":
			return l.channels(path, v)
		case "events":
			return l.events(path, v)
		case "tr_seconds":
			return l.number(path, v, &l.spec.TR)
		case "row_time":
			return l.number(path, v, &l.spec.RowTime)
		case "trimmed":
			return l.boolean(path, v, &l.spec.Trimmed)
		case "stories":
			return l.each(path, v, l.story)
		case "subjects":
			return l.each(path, v, l.subject)
		case "derived":
			return l.each(path, v, l.derived)
		case "motion":
			return l.each(path, v, l.motion)
		case "features":
			return l.each(path, v, l.features)
		case "empty":
			return l.each(path, v, l.empty)
		case "surface":
			return l.surface(path, v)
		case "mask":
			return l.mask(path, v)
		default:
			return l.each(path, v, l.roi)
		}
	})
	if err != nil {
		return err
	}
	if err := l.checkDesign(n); err != nil {
		return err
	}
	l.assignSpans()
	if err := l.assignMotion(); err != nil {
		return err
	}
	if err := l.assignEmpty(); err != nil {
		return err
	}
	return l.assignSpaces()
}

func (l *layout) story(name, path string, _, n *yaml.Node) error {
	story := Story{Name: name}
	err := l.fields(path, n, layoutKeys["stories/STORY"],
		func(name, path string, v *yaml.Node) error {
			var file string
			switch name {
			case "audio":
				err := l.text(path, v, &file)
				story.Audio = fromFile(l.files, file, l.sound.of(story.Name))
				story.Seconds = l.sound.lengthOf(l.files, file)
				story.Remarks = func() []string { return l.sound.notesOn(story.Name) }
				story.Stream = func(ctx context.Context, visit func([]float32) error) error {
					return l.sound.stream(l.files, ctx, story.Name, file, visit)
				}
				return err
			case "words":
				err := l.text(path, v, &file)
				story.Words = fromFile(l.files, file, folder.words)
				return err
			case "phones":
				err := l.text(path, v, &file)
				story.Phones = fromFile(l.files, file, folder.phones)
				return err
			case "speaker":
				return l.text(path, v, &story.Speaker)
			case "first_tr_seconds":
				return l.number(path, v, &story.First)
			case "rows":
				story.Rows = &RowSpan{}
				return l.span(path, v, story.Rows)
			default:
				story.SameAs = &SameAs{}
				return l.sameAs(path, v, story.SameAs)
			}
		})
	l.spec.Stories = append(l.spec.Stories, story)
	return err
}

func (l *layout) sameAs(path string, n *yaml.Node, to *SameAs) error {
	err := l.fields(path, n, layoutKeys["stories/STORY/same_as"], func(name, path string, v *yaml.Node) error {
		if name == "story" {
			return l.text(path, v, &to.Story)
		}
		return l.integer(path, v, &to.Row)
	})
	if err == nil && (l.at[path+"/story"] == nil || l.at[path+"/row"] == nil) {
		return l.fail(n, "%s needs story and row", path)
	}
	return err
}

func (l *layout) subject(name, path string, _, n *yaml.Node) error {
	responses, err := l.responses(path, n)
	l.spec.Subjects = append(l.spec.Subjects, Subject{Name: name, Responses: responses})
	return err
}

func (l *layout) responses(path string, n *yaml.Node) (responses []Response, err error) {
	if l.clips {
		return l.eventResponses(path, n)
	}
	err = l.each(path, n, func(story, path string, _, v *yaml.Node) error {
		var file, array string
		r := Response{Story: story}
		read := func() error { return l.text(path, v, &file) }
		if v.Kind == yaml.MappingNode {
			read = func() error { return l.responseFile(path, v, &file, &array, &r) }
		}
		err := read()
		found := l.opened(file, array)
		r.Source, r.Matrix = found.Source, found.Matrix
		responses = append(responses, r)
		return err
	})
	return responses, err
}

func (l *layout) derived(name, path string, _, n *yaml.Node) error {
	subject := Subject{Name: name}
	err := l.fields(path, n, layoutKeys["derived/SUBJECT"], func(name, path string, v *yaml.Node) (err error) {
		if name == "responses" {
			subject.Responses, err = l.responses(path, v)
			return err
		}
		if v.Kind == yaml.ScalarNode && v.Value == allSubjects {
			return nil
		}
		return l.list(path, v, func(item *yaml.Node) error {
			subject.From = append(subject.From, "")
			return l.text(path, item, &subject.From[len(subject.From)-1])
		})
	})
	if err == nil && l.at[path+"/from"] == nil {
		return l.fail(n, "%s needs from: all, or a list of subjects", path)
	}
	l.spec.Derived = append(l.spec.Derived, subject)
	return err
}

// file reads the path of a file that other packages open. A relative path must stay inside the
// folder of the data set.
func (l *layout) file(path string, n *yaml.Node, to *string) error {
	var name string
	if err := l.text(path, n, &name); err != nil {
		return err
	}
	found, err := l.files.find(name)
	*to = found
	return err
}

func (l *layout) roi(name, path string, _, n *yaml.Node) (err error) {
	roi := ROI{Name: name}
	if n.Kind == yaml.MappingNode {
		err = l.each(path, n, func(subject, path string, _, v *yaml.Node) error {
			region, err := l.region(path, v)
			roi.BySubject = append(roi.BySubject, SubjectRegion{Subject: subject, Region: region})
			return err
		})
	} else {
		roi.Region, err = l.region(path, n)
	}
	l.spec.ROIs = append(l.spec.ROIs, roi)
	return err
}

// region reads a list of columns, or the name of a file with columns.
func (l *layout) region(path string, n *yaml.Node) (Input[Region], error) {
	if n.Kind == yaml.ScalarNode {
		var file string
		err := l.text(path, n, &file)
		return fromFile(l.files, file, folder.region), err
	}
	var region Region
	err := l.list(path, n, func(item *yaml.Node) error {
		region.Columns = append(region.Columns, 0)
		return l.integer(path, item, &region.Columns[len(region.Columns)-1])
	})
	if err == nil && len(region.Columns) == 0 {
		err = l.fail(n, "%s is empty", path)
	}
	return Value(region), err
}

// fromFile returns an Input that reads a file of the folder.
func fromFile[T any](f folder, name string, read func(f folder, ctx context.Context, name string) (T, error)) Input[T] {
	return Input[T]{
		Path: f.join(name),
		Load: func(ctx context.Context) (T, error) { return read(f, ctx, name) },
	}
}
