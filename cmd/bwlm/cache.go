package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/cmd/bwlm/internal/ui"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/activations"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// cacheFlags are the flags of the activation cache on disk.
type cacheFlags struct {
	dir  string
	size size
}

// limitFlags bound the memory and disk of a command.
type limitFlags struct {
	cache   cacheFlags
	memory  size
	dtype   string // of cached activations
	allow   allowChanged
	compare float64 // seconds of a plan for comparing ways to extract features; 0: as the library does
	plan    bool    // fingerprints of audio are read from the cache if it is there; nothing is written
}

func (f *limitFlags) add(c *cobra.Command) {
	f.cache.add(c)
	f.addMemory(c)
	f.allow.add(c)
	c.Flags().StringVar(&f.dtype, "cache-dtype", "f32",
		"dtype of cached activations: f32, or bf16, which takes half the memory and changes results a little")
}

func (f *limitFlags) addMemory(c *cobra.Command) {
	c.Flags().Var(&f.memory, "max-memory", "memory bound of the process, such as 8GiB (max_memory)")
}

// bound makes the garbage collector careful where memory is bounded: the heap is a few large
// arrays, cheap to look through and costly to have twice.
func (f *limitFlags) bound(given int64) int64 {
	bytes := cmp.Or(int64(f.memory), given)
	if bytes > 0 {
		debug.SetGCPercent(10)
	}
	return bytes
}

// noCache is the folder that stands for none.
const noCache = "none"

func (f *cacheFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "cache-dir", "",
		"`folder` of the activation cache, shared by runs; none: no such folder (default $XDG_CACHE_HOME/bwlm)")
	f.size = 10 << 30
	c.Flags().Var(&f.size, "cache-size", "maximum size of the folder; least recently used files are removed first")
}

// folder returns the path of the folder, "" where there is to be none or the system names no place for it.
func (f *cacheFlags) folder() string {
	dir := f.dir
	if dir == "" {
		if parent, err := os.UserCacheDir(); err == nil {
			dir = filepath.Join(parent, "bwlm")
		}
	}
	if dir == noCache || f.size == 0 {
		return ""
	}
	return dir
}

// open opens the folder. It is nil where there is none.
func (f *cacheFlags) open() (*activations.Store, error) {
	dir := f.folder()
	if dir == "" {
		return nil, nil
	}
	return activations.Open(dir, int64(f.size))
}

// studyOptions are the options of a study. Without --cache-dir, a folder of the activation cache
// that cannot be opened is a warning.
func (a *app) studyOptions(maxMemory int64, progress func(progress.Event)) (brain.Options, error) {
	opt := brain.Options{Purpose: a.command, Progress: progress, MaxBytes: a.limits.bound(maxMemory),
		AllowChangedBase: a.limits.allow.base, AllowChangedData: a.limits.allow.data,
		CompareSeconds: a.limits.compare}
	switch a.limits.dtype {
	case "bf16":
		opt.HalfFrames = true
	case "f32", "":
	default:
		return opt, fault.New(fault.Usage, a.command, "--cache-dtype", "%q is neither f32 nor bf16", a.limits.dtype)
	}
	if a.limits.plan {
		opt.OnlyCachedPrints = true
		if dir := a.limits.cache.folder(); dir == "" || !isFolder(dir) {
			return opt, nil
		}
	}
	store, err := a.limits.cache.open()
	switch {
	case err != nil && a.limits.cache.dir == "":
		a.ui.Warn("%v", err)
	case err != nil:
		return opt, err
	case store != nil:
		store.Close()
		opt.CacheDir, opt.DiskBytes = a.limits.cache.folder(), int64(a.limits.cache.size)
	}
	return opt, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func cacheCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "cache COMMAND",
		Short: "Manage the activation cache on disk",
		Long: `Training and evaluation cache the activations of frozen layers (the output of the convolutional front end
and of the layers below the lowest adapter, features of the untuned model) in memory, and in a folder on disk where
memory is full and for other runs. A file is named by the hash of everything that it depends on: weights, samples,
windows, libtorch, processor, threads. Results with and without the folder are bit-identical. Its size is bounded by
--cache-size, and it may be removed at any time.

Responses in text, in Fortran order or compressed are copied there once, by rows: their size is that of their numbers
in 4 bytes, and not bounded by --cache-size.`,
		Example: "  bwlm cache ls\n  bwlm cache prune --keep 2GiB",
		Args:    onlyCommands,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(cacheListCommand(a), cachePruneCommand(a), cacheVerifyCommand(a))
	return c
}

// cacheAnswer is the answer of the cache commands.
type cacheAnswer struct {
	Schema  int                `json:"schema"`
	Dir     string             `json:"dir"`
	Bytes   int64              `json:"bytes"` // that are there
	Files   []activations.Info `json:"files,omitempty"`
	Copies  int64              `json:"copies_bytes,omitempty"` // of responses, by rows; a part of bytes
	Removed int64              `json:"removed_bytes,omitempty"`
	Sound   int                `json:"sound,omitempty"` // files
	Damaged []string           `json:"damaged,omitempty"`
}

// onCache makes a command that opens the folder.
func onCache(a *app, c *cobra.Command, do func(c *cobra.Command, s *activations.Store, answer *cacheAnswer) error,
	text func(io.Writer, *cacheAnswer) error) *cobra.Command {
	var f cacheFlags
	f.add(c)
	if err := c.Flags().MarkHidden("cache-size"); err != nil {
		panic(err) // there is such a flag
	}
	c.Args = wantArgs()
	c.RunE = func(c *cobra.Command, _ []string) error {
		s, err := f.open()
		if err != nil {
			return err
		}
		if s == nil {
			return fault.New(fault.Usage, "open cache", "",
				"there is no folder for it").WithHint("name one: --cache-dir")
		}
		defer s.Close()
		answer := &cacheAnswer{Schema: 1, Dir: s.Dir}
		if err := do(c, s, answer); err != nil {
			return err
		}
		return a.answer(answer, func(w io.Writer) error { return text(w, answer) })
	}
	return c
}

func cacheListCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "ls",
		Short: "List cached files, the most recently used first",
		Long: `--json prints {"schema", "dir", "bytes", "copies_bytes", "files": [{"name", "about", "dtype", ` +
			`"shape", "bytes", "used"}]}.`,
		Example: "  bwlm cache ls --json",
	}
	return onCache(a, c, func(_ *cobra.Command, s *activations.Store, answer *cacheAnswer) (err error) {
		answer.Files, err = s.List()
		for _, f := range answer.Files {
			answer.Bytes += f.Bytes
		}
		if err == nil {
			_, answer.Copies, err = pruneCopies(s, math.MaxInt64)
			answer.Bytes += answer.Copies
		}
		return err
	}, func(w io.Writer, answer *cacheAnswer) error {
		var rows [][]string
		for _, f := range answer.Files {
			shape := strings.ReplaceAll(strings.Trim(fmt.Sprint(f.Shape), "[]"), " ", "×")
			rows = append(rows, []string{f.Name[:12], f.Used.Format(time.DateTime), size(f.Bytes).text(),
				f.DType + " " + shape, f.About})
		}
		if len(rows) > 0 {
			if err := ui.Table(w, []string{"hash", "used", "size", "type", "what"}, rows); err != nil {
				return err
			}
		}
		if answer.Copies > 0 {
			fmt.Fprintf(w, "copies of responses by rows: %s\n", size(answer.Copies).text())
		}
		_, err := fmt.Fprintf(w, "%s: %d files, %s\n", answer.Dir, len(answer.Files), size(answer.Bytes).text())
		return err
	})
}

func cachePruneCommand(a *app) *cobra.Command {
	var keep size
	c := &cobra.Command{
		Use:   "prune",
		Short: "Remove least recently used files",
		Long: `Removes files until at most --keep is left, 0 if that is not given; copies of responses last. --json ` +
			`prints {"schema", "dir", "bytes", "copies_bytes", "removed_bytes"}.`,
		Example: "  bwlm cache prune\n  bwlm cache prune --keep 2GiB",
	}
	c.Flags().Var(&keep, "keep", "size that may stay")
	return onCache(a, c, func(_ *cobra.Command, s *activations.Store, answer *cacheAnswer) (err error) {
		removed, copies, err := pruneCopies(s, int64(keep))
		if err != nil {
			return err
		}
		answer.Removed, answer.Bytes, err = s.Prune(int64(keep) - copies)
		answer.Removed, answer.Bytes, answer.Copies = answer.Removed+removed, answer.Bytes+copies, copies
		return err
	}, func(w io.Writer, answer *cacheAnswer) error {
		_, err := fmt.Fprintf(w, "%s: removed %s, %s left\n", answer.Dir, size(answer.Removed).text(),
			size(answer.Bytes).text())
		return err
	})
}

// pruneCopies removes copies of responses until at most some bytes are left.
func pruneCopies(s *activations.Store, keep int64) (removed, left int64, err error) {
	dir := filepath.Join(s.Dir, study.CopiesFolder)
	if !isFolder(dir) {
		return 0, 0, nil
	}
	copies, err := activations.Open(dir, keep)
	if err != nil {
		return 0, 0, err
	}
	defer copies.Close()
	return copies.Prune(keep)
}

func cacheVerifyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Check every file, and remove damaged ones",
		Long: `Checks every file against its checksum, as runs do when they read one. Damaged files are removed and
named. --json prints {"schema", "dir", "bytes", "sound", "damaged": [...]}.`,
		Example: "  bwlm cache verify",
	}
	return onCache(a, c, func(c *cobra.Command, s *activations.Store, answer *cacheAnswer) error {
		sound, bad, err := s.Verify(c.Context())
		if err != nil {
			return err
		}
		answer.Sound = sound
		for _, e := range bad {
			answer.Damaged = append(answer.Damaged, e.Error())
		}
		files, err := s.List()
		for _, f := range files {
			answer.Bytes += f.Bytes
		}
		return err
	}, func(w io.Writer, answer *cacheAnswer) error {
		for _, text := range answer.Damaged {
			fmt.Fprintln(w, text)
		}
		_, err := fmt.Fprintf(w, "%s: %d files are sound, %d were damaged and are removed\n", answer.Dir, answer.Sound,
			len(answer.Damaged))
		return err
	})
}
