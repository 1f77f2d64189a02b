package sweep

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// settingsFile says what all runs of a sweep have in common.
const settingsFile = "settings.json"

// shared are the keys that a sweep varies, and the settings of all others but out.
type shared struct {
	Schema   int               `json:"schema"`
	Axes     []string          `json:"axes"`
	Settings map[string]string `json:"settings"`
}

// sameSweep refuses a folder in which other keys are varied, or other settings held. Values may be added.
func (s *sweep) sameSweep(ctx context.Context) error {
	folder, err := s.hold(ctx)
	if err != nil {
		return err
	}
	defer folder.Close()
	now := shared{Schema: 1, Settings: map[string]string{}}
	for _, a := range s.opt.Axes {
		now.Axes = append(now.Axes, a.Key)
	}
	for set := range s.runs[0].exp.Settings() {
		if set.Key != "out" && !slices.Contains(now.Axes, set.Key) {
			now.Settings[set.Key] = set.Value
		}
	}
	var was shared
	path := filepath.Join(s.opt.Out, settingsFile)
	switch err := jsonfile.ReadOwn(op, s.opt.Out, settingsFile, &was); {
	case errors.Is(err, fs.ErrNotExist):
		if err := jsonfile.Write(path, now); err != nil {
			return err
		}
	case err != nil:
		return err
	default:
		if err := was.same(path, now); err != nil {
			return err
		}
	}
	for _, r := range s.runs {
		begun, err := rundir.Begun(r.exp.Out)
		if err == nil && begun {
			err = rundir.SameSettings(op, r.exp.Out, r.exp)
		}
		if fault.KindOf(err) == fault.Exists && err != nil { // a damaged run is a row of the table
			return err
		}
	}
	return nil
}

// hold locks the folder of the sweep for the moment in which its settings are compared.
func (s *sweep) hold(ctx context.Context) (*rundir.Run, error) {
	for {
		folder, err := rundir.Hold(s.opt.Out)
		if !errors.Is(err, rundir.ErrLocked) {
			return folder, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// same returns an error unless the settings of a sweep are those that the folder began with.
func (was shared) same(path string, now shared) error {
	refuse := func(why string, args ...any) error {
		return fault.New(fault.Exists, op, path, why, args...).WithHint("choose another folder, or remove that sweep")
	}
	if !slices.Equal(slices.Sorted(slices.Values(was.Axes)), slices.Sorted(slices.Values(now.Axes))) {
		return refuse("the sweep was begun over %s, not over %s", strings.Join(was.Axes, ", "),
			strings.Join(now.Axes, ", "))
	}
	for _, key := range slices.Sorted(maps.Keys(now.Settings)) {
		if then, ok := was.Settings[key]; !ok || then != now.Settings[key] {
			return refuse("the sweep was begun with %s: %s, not %s", key, then, now.Settings[key])
		}
	}
	return nil
}
