package imports

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
)

// relative returns a path below a folder as such, another as it is.
func relative(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func stemOf(file string) string {
	return strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
}

// nameOf makes a name that a data set allows of a part of a path.
func nameOf(part string) string {
	name := strings.TrimSpace(plain(part, `/\*?[]:`))
	if strings.Trim(name, ".") == "" {
		return "data"
	}
	return name
}

// plain puts _ for some signs and for control characters.
func plain(text, signs string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(signs, r) || unicode.IsControl(r) {
			return '_'
		}
		return r
	}, text)
}

// match finds the story whose name is in the path of a matrix, set off from letters and digits, and returns the other
// parts of the path. The longest name counts; two of one length are none.
func match(path string, stories []Story) (story string, rest []string, ok bool) {
	var at, length int
	path = plain(path, `\*?[]:`)
	lower := strings.ToLower(path)
	if len(lower) != len(path) { // letters that are longer in lower case
		lower = path
	}
	for _, s := range stories {
		name := strings.ToLower(s.Name)
		if len(name) < length {
			continue
		}
		if i := find(lower, name); i >= 0 {
			ok = len(name) > length
			story, at, length = s.Name, i, len(name)
		}
	}
	if !ok {
		return "", nil, false
	}
	return story, parts(path[:at] + "/" + path[at+length:]), true
}

// find returns the last place at which a name stands in a path on its own, -1 if it does not.
func find(path, name string) int {
	letter := func(s string, last bool) bool {
		r := []rune(s)
		if len(r) == 0 {
			return false
		}
		c := r[0]
		if last {
			c = r[len(r)-1]
		}
		return unicode.IsLetter(c) || unicode.IsDigit(c)
	}
	for end := len(path); ; {
		i := strings.LastIndex(path[:end], name)
		if i < 0 || !letter(path[:i], true) && !letter(path[i+len(name):], false) {
			return i
		}
		end = i + len(name) - 1
	}
}

// words of paths that name no subject.
var generic = []string{"task", "bold", "fmri", "resp", "resps", "response", "responses", "data", "story", "stories",
	"func", "desc", "preproc", "array", "arrays", "npy", "train", "test", "subject", "subjects"}

// parts splits what is left of a path, without words that say what every file is.
func parts(path string) (out []string) {
	for _, p := range strings.FieldsFunc(path, func(r rune) bool {
		return r == filepath.Separator || r == '/' || r == '_' || r == '.' || unicode.IsSpace(r)
	}) {
		p = strings.Trim(p, "-")
		if p != "" && !slices.Contains(generic, strings.ToLower(p)) {
			out = append(out, p)
		}
	}
	return out
}

// subjectNames names the subject of each file by the parts of its path that not all files have; if all have the same
// parts, by those; without any, "subject".
func subjectNames(rests [][]string) []string {
	inAll := func(p string) bool {
		return !slices.ContainsFunc(rests, func(r []string) bool { return !slices.Contains(r, p) })
	}
	differ := slices.ContainsFunc(rests, func(r []string) bool { return !slices.Equal(r, rests[0]) })
	out := make([]string, len(rests))
	for i, rest := range rests {
		var own []string
		for _, p := range rest {
			if (!differ || !inAll(p)) && !slices.Contains(own, p) {
				own = append(own, p)
			}
		}
		out[i] = nameOf(strings.Join(own, "_"))
		if len(own) == 0 {
			out[i] = "subject"
		}
		if out[i] == "all" {
			out[i] = "subject_all"
		}
	}
	return out
}

// reasonOf is the reason of an error without its place.
func reasonOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Reason != "" {
		return f.Reason
	}
	return err.Error()
}
