package peft

import (
	"slices"
	"strings"
)

// The file of a task's model (CTC, classification, x-vectors) may hold more than the encoder: a head
// that was trained as a whole (modules_to_save), its biases (bias=all), or an adapter of its layers.
// Hidden states do not depend on the head, so its tensors are left out, and a warning names them.

// ofTask reports whether a name of the file belongs to the task's head: it is outside the encoder,
// whose place in the file is known, and is no layer of the encoder under another path.
func (a *Adapter) ofTask(name string) bool {
	start := a.file.head()
	if start == "" || strings.HasPrefix(name, start) || strings.HasPrefix(name, sharedPrefix) {
		return false
	}
	for end := len(name); end > 0; end = strings.LastIndexByte(name[:end], '.') {
		for path := name[:end]; path != ""; _, path, _ = strings.Cut(path, ".") {
			if a.seen[path] {
				return false
			}
		}
	}
	return true
}

// taskModules lists the modules of the task's head that the file has tensors of.
func (a *Adapter) taskModules() (modules []string) {
	if a.file == nil {
		return nil
	}
	for _, name := range a.file.names {
		if module, _, _ := strings.Cut(name, "."); a.ofTask(name) && !slices.Contains(modules, module) {
			modules = append(modules, module)
		}
	}
	return modules
}

// matchTask matches the config with the task's head, so that entries for it are not called unused.
// Modules to save that are none of the encoder can only be the head's.
func (a *Adapter) matchTask() {
	if a.file == nil {
		return
	}
	if a.file.head() != "" { // PEFT adds names of heads that other tasks have
		for _, name := range a.match.cfg.ModulesToSave {
			a.match.used[entry{"modules_to_save", name}] = true
		}
	}
	for _, name := range a.file.names {
		if !a.ofTask(name) {
			continue
		}
		for path := name; path != ""; path, _ = cutLast(path) {
			a.match.targets(path)
			a.match.saved(path)
			for _, option := range a.match.options {
				a.match.lookup(option, path, 0)
			}
		}
	}
}
