package experiment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
	"github.com/brainwavlm/bwlm/internal/suggest"
)

// The limits keep a hostile file cheap. A full experiment file has 50 keys and 3 kB.
const (
	maxBytes = 2 << 20
	maxItems = 50_000 // lines and commas: each may become a node of some 400 bytes
)

// Load reads a file, applies settings of the form "key=value" in order, and validates: what a command does.
func Load(path string, sets ...string) (*Experiment, error) {
	return LoadContext(context.Background(), path, sets...)
}

// LoadContext is [Load], whose wait for the writer of a pipe ends with a context.
func LoadContext(ctx context.Context, path string, sets ...string) (*Experiment, error) {
	e, err := readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	for _, s := range sets {
		if err := e.Set(s); err != nil {
			return nil, err
		}
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	return e, nil
}

// readFile reads an experiment file or pipe over the defaults. Relative paths in it mean its directory, those in a pipe
// the working directory. The result is not validated yet, since Set may still supply what is missing.
//
// A file that cannot be opened is a *fault.Error of kind Missing; text that is not YAML, an unknown
// or repeated key and a value of the wrong type are of kind Usage, with file, line and column.
func readFile(ctx context.Context, path string) (*Experiment, error) {
	f, piped, err := open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if !piped {
		data, err := readLimited(path, f)
		if err != nil {
			return nil, err
		}
		return ReadBytes(path, data)
	}
	data, err := readPipe(ctx, path, f)
	if err != nil {
		return nil, err
	}
	return readBytes(path, ".", data)
}

// open opens a file or a pipe. Neither makes it wait.
func open(path string) (f *os.File, piped bool, err error) {
	f, err = os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, false, cannotRead(path, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = syscall.EISDIR
	case info.Mode().IsRegular():
		return f, false, nil
	case info.Mode()&fs.ModeNamedPipe != 0:
		return f, true, nil
	default:
		err = fault.New(fault.BadData, "experiment", path, "is a device or socket, want a file or a pipe").
			WithHint("give the YAML file itself")
	}
	f.Close()
	return nil, false, cannotRead(path, err)
}

// readLimited returns the bytes of a file, as many as ReadBytes takes and one more.
func readLimited(path string, f io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, cannotRead(path, err)
	}
	return data, nil
}

// patience is how long a pipe may be without a writer.
const patience = time.Second

// readPipe is readLimited for a pipe, until a context ends.
func readPipe(ctx context.Context, path string, f *os.File) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for begun := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		data, err := readLimited(path, f)
		switch {
		case ctx.Err() != nil:
			return nil, fault.Wrap(fault.Interrupted, "experiment", path, context.Cause(ctx))
		case err != nil || len(data) > 0:
			return data, err
		case time.Since(begun) > patience: // the end of a pipe looks as a pipe that has no writer yet
			return nil, fault.New(fault.Missing, "experiment", path, "nothing writes to the pipe").
				WithHint("start its writer first, or give the YAML file itself")
		}
	}
}

func cannotRead(path string, err error) error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Missing, "experiment", path, "no such file").
			WithHint("check the name, or start from experiment.Template")
	case errors.Is(err, syscall.EISDIR):
		return fault.Wrap(fault.Missing, "experiment", path,
			errors.New("is a directory")).WithHint("give the YAML file itself")
	case errors.Is(err, fs.ErrPermission):
		return &fault.Error{Kind: fault.Missing, Op: "experiment", Path: path, Reason: "may not be read",
			Hint: "check its permissions", Err: err}
	}
	return fault.Wrap(fault.IO, "experiment", path, err)
}

// ReadBytes reads an experiment in memory, without validating it; name stands for the file in messages and for its
// directory in relative paths.
func ReadBytes(name string, data []byte) (*Experiment, error) {
	return readBytes(name, filepath.Dir(name), data)
}

// readBytes is ReadBytes with the directory of relative paths.
func readBytes(name, base string, data []byte) (*Experiment, error) {
	e := Default()
	e.name, e.origin, e.where = name, map[string]Origin{}, map[string]string{}
	switch {
	case len(data) > maxBytes:
		return nil, e.bad("", "larger than %d bytes", maxBytes).WithHint("is this an experiment file?")
	case bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte(",")) > maxItems:
		return nil, e.bad("", "more than %d lines and list items", maxItems).WithHint("is this an experiment file?")
	}
	doc, err := e.parse(data)
	if err != nil {
		return nil, err
	}
	base, err = filepath.Abs(base)
	if err != nil {
		return nil, fault.Wrap(fault.IO, "experiment", name, err)
	}
	if err := e.walk(doc, "", base); err != nil {
		return nil, err
	}
	e.applyCompat()
	return e, nil
}

// parse gives the root mapping of the one document in data.
func (e *Experiment) parse(data []byte) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := d.Decode(&doc); err == io.EOF {
		return nil, e.bad("", "the file holds no keys").WithHint("start from experiment.Template")
	} else if err != nil {
		return nil, e.syntax(err, data)
	}
	if err := d.Decode(&second); err == nil {
		return nil, e.at(&second, "a second document begins").WithHint("keep one experiment per file")
	} else if err != io.EOF {
		return nil, e.syntax(err, data)
	}
	root := resolve(doc.Content[0])
	if root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null" {
		return nil, e.bad("", "the file holds no keys").WithHint("start from experiment.Template")
	}
	if root.Kind != yaml.MappingNode {
		return nil, e.at(root, "want keys such as `model:`, got %s", describe(root)).
			WithHint("start from experiment.Template")
	}
	return root, nil
}

// walk reads the keys of a mapping: the root's when section is "", else those of a section.
func (e *Experiment) walk(m *yaml.Node, section, base string) error {
	seen := map[string]int{}
	for i := 0; i+1 < len(m.Content); i += 2 {
		k, v := m.Content[i], m.Content[i+1]
		name := resolve(k).Value
		if k.Kind != yaml.ScalarNode && k.Kind != yaml.AliasNode {
			return e.at(k, "a key must be a word, got %s", describe(k))
		}
		if section != "" {
			name = section + "." + name
		}
		if line, twice := seen[name]; twice {
			return e.at(k, "%s is given twice, first on line %d", shorten(name), line).WithHint("keep one of them")
		}
		seen[name] = k.Line

		switch known := find(name); {
		case known != nil && (section != "" || !strings.Contains(name, ".")):
			if err := e.put(known, v, base, FromFile, e.position(v)); err != nil {
				return err
			}
		case section == "" && isSection(name):
			sub := resolve(v)
			if sub.Kind == yaml.ScalarNode && sub.ShortTag() == "!!null" {
				continue // a section whose keys are all commented out
			}
			if sub.Kind != yaml.MappingNode {
				return e.at(v, "%s: want keys below it, got %s", name, describe(sub))
			}
			if err := e.walk(sub, name, base); err != nil {
				return err
			}
		default:
			return e.unknown(name, e.position(k))
		}
	}
	return nil
}

// put decodes a value into a key and records its origin.
func (e *Experiment) put(k *key, v *yaml.Node, base string, from Origin, where string) error {
	if n := resolve(v); n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return fault.New(fault.Usage, "experiment", where, "%s has no value", k.name).
			WithHint("give one, or remove the key to have the default")
	}
	if err := decode(v, k.field(e)); err != nil {
		if from == FromFile {
			where = e.position(err.node)
		}
		return fault.New(fault.Usage, "experiment", where, "%s: %s", k.name, err.why)
	}
	if p, ok := k.field(e).(*string); ok && k.path && *p != "" && !filepath.IsAbs(*p) {
		if e.given == nil {
			e.given = map[string]string{}
		}
		e.given[k.name] = *p
		*p = filepath.Join(base, *p)
	} else {
		delete(e.given, k.name)
	}
	e.origin[k.name], e.where[k.name] = from, where
	return nil
}

// unknown makes the error for a key that is not in the table, with its successor or the nearest key of the table.
func (e *Experiment) unknown(name, where string) *fault.Error {
	err := fault.New(fault.Usage, "experiment", where, "unknown key %s", shorten(name))
	if is := successor("", name); is != "" {
		return fault.Wrap(fault.Usage, "experiment", where, retiredName{name, is})
	}
	section, leaf, nested := strings.Cut(name, ".")
	if !nested {
		section, leaf = "", name
	} else if find(name) != nil { // spelled with its dot at the top level
		return err.WithHint("write %s below `%s:`", leaf, section)
	}
	candidates := slices.Collect(names(func(string, string) bool { return true }))
	for _, c := range candidates { // the right word in another section
		if _, l := find(c).split(); l == leaf {
			return err.WithHint("did you mean %s?", c)
		}
	}
	siblings := slices.Collect(names(func(s, _ string) bool { return s == section }))
	if !nested {
		siblings = append(sectionNames(), siblings...)
		candidates = append(sectionNames(), candidates...)
	}
	if near := suggest.Nearest(name, slices.Values(candidates)); near != "" {
		return err.WithHint("did you mean %s?", near)
	}
	if len(siblings) == 0 { // only --set can name a section that is none
		siblings = sectionNames()
	}
	return err.WithHint("known here: %s", strings.Join(siblings, ", "))
}

// at makes an error about a place in the file.
func (e *Experiment) at(n *yaml.Node, why string, args ...any) *fault.Error {
	return fault.New(fault.Usage, "experiment", e.position(n), why, args...)
}

func (e *Experiment) position(n *yaml.Node) string {
	return fmt.Sprintf("%s:%d:%d", e.name, n.Line, n.Column)
}

var (
	yamlText = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(.*)`)

	// fromParser matches the complaints of yaml's parser, whose lines count from 0; those of its scanner count from 1.
	fromParser = regexp.MustCompile(`^did not find expected (<document start>|node content|'-' indicator|key|',' or)`)
)

// syntax turns yaml's complaint into ours. yaml tells no column, and for a bracket that is never
// closed the line where it opens.
func (e *Experiment) syntax(err error, data []byte) *fault.Error {
	if kind := sniff.Bytes(data); kind != "" && kind != sniff.JSON {
		return fault.New(fault.Usage, "experiment", quote.OneLine(e.name), "is %s, want an experiment file in YAML",
			kind).WithHint("name the experiment file; the data set is named in it by data.path")
	}
	text, line := strings.ReplaceAll(err.Error(), "\n", " "), 0
	if m := yamlText.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1]) // no line at all means the first
		text = m[2]
	}
	if line == 0 || fromParser.MatchString(text) {
		line++
	}
	// the end of the text counts as one more line
	line = min(line, bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))+1)
	return fault.New(fault.Usage, "experiment", fmt.Sprintf("%s:%d", e.name, line), "not YAML: %s", text).
		WithHint("check indentation and quotes there; names with * or [ ] in a list need quotes")
}
