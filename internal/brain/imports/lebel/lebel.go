package lebel

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

const (
	op = "import data"

	tr      = 2.0
	trimmed = 10   // rows at each end
	silence = 10.0 // seconds before and after a story

	mostVolumes = 1_000_000 // of a run: more is a mistake
)

// find is a search in the folder of the data set.
type find struct {
	*imports.Found
	ctx        context.Context
	derivative string
	volumes    map[string]int    // TRs of the run of each story
	transforms map[string]string // of each subject
	seconds    map[string]float64
}

// Find describes the subjects and stories that are selected by names or patterns; nil selects all.
func Find(ctx context.Context, source string, subjects, stories []string) (*imports.Found, error) {
	found, err := imports.Start("lebel", source)
	if err != nil {
		return nil, err
	}
	f := &find{Found: found, ctx: ctx, seconds: map[string]float64{}}
	found.TR, found.Trimmed, found.ZScored = tr, true, true
	found.Describe()
	for _, step := range []func() error{
		f.tables,
		func() error { return f.list(subjects, stories) },
		f.recordings,
		f.shapes,
		f.masks,
	} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	f.splits()
	f.remarks()
	return found, nil
}

// tables reads the lengths of runs and the names of transforms.
func (f *find) tables() error {
	for _, name := range []string{"derivative", "derivatives"} {
		f.derivative = filepath.Join(f.Source, name)
		if _, err := os.Stat(filepath.Join(f.derivative, "preprocessed_data")); err == nil {
			break
		}
	}
	path := filepath.Join(f.derivative, "respdict.json")
	if err := jsonfile.Read(op, path, &f.volumes); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Missing, op, f.Source, "there is no derivative/respdict.json").
				WithHint("name the folder of ds003020")
		}
		return err
	}
	for story, n := range f.volumes {
		if n < 0 || n > mostVolumes {
			return f.Fail(path, "story %s has %d TRs", story, n)
		}
	}
	err := jsonfile.Read(op, filepath.Join(f.derivative, "subject_xfms.json"), &f.transforms)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// list finds the files of responses.
func (f *find) list(subjects, stories []string) error {
	dir := filepath.Join(f.derivative, "preprocessed_data")
	names, err := below(dir)
	if err != nil {
		return err
	}
	if names, err = f.Select("subject", names, subjects); err != nil {
		return err
	}
	heard := map[string]bool{}
	files := map[string][]string{}
	for _, subject := range names {
		list, err := below(filepath.Join(dir, subject))
		if err != nil {
			return err
		}
		for _, file := range list {
			if story, ok := strings.CutSuffix(file, ".hf5"); ok {
				files[subject] = append(files[subject], story)
				heard[story] = true
			}
		}
	}
	chosen, err := f.Select("story", slices.Sorted(maps.Keys(heard)), stories)
	if err != nil {
		return err
	}
	for _, subject := range names {
		s := imports.Subject{Name: subject}
		for _, story := range files[subject] {
			if slices.Contains(chosen, story) {
				s.Responses = append(s.Responses, imports.Response{Story: story,
					File: filepath.Join(dir, subject, story+".hf5"), Offset: -1})
			}
		}
		f.Subjects = append(f.Subjects, s)
	}
	if !slices.ContainsFunc(f.Subjects, func(s imports.Subject) bool { return len(s.Responses) > 0 }) {
		return f.Fail(dir, "no subject has responses to a story (.hf5)")
	}
	for _, story := range chosen {
		f.Stories = append(f.Stories, imports.Story{Name: story, First: silence,
			Audio: filepath.Join(f.Source, "stimuli", story+".wav")})
	}
	return nil
}

// below lists a folder without hidden files.
func below(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, inputfile.Error(op, dir, err)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// recordings finds the recording and the words of each story, and leaves out stories without.
func (f *find) recordings() error {
	stories := f.Stories[:0]
	for _, s := range f.Stories {
		_, known := f.volumes[s.Name]
		_, err := os.Lstat(s.Audio)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			f.NoRecording(s.Audio, s.Name)
			continue
		case !known:
			f.Leave(s.Audio, "respdict.json has no length of story %s, which is left out", s.Name)
			continue
		}
		if f.seconds[s.Name], err = f.Length(f.ctx, s.Audio); err != nil {
			return err
		}
		grid := filepath.Join(f.derivative, "TextGrids", s.Name+".TextGrid")
		if _, err := os.Lstat(grid); err == nil {
			if _, _, err := f.File(grid); err != nil {
				return err
			}
			s.Words, s.Phones = grid, grid
		} else {
			f.Note("story %s has no TextGrid, so no words", s.Name)
		}
		stories = append(stories, s)
	}
	f.Stories = stories
	if len(stories) == 0 {
		return fault.New(fault.Missing, op, f.Source, "no story has a recording in stimuli").
			WithHint("get the folder stimuli of the data set")
	}
	f.OnlyHeard()
	return f.unheard()
}

// unheard notes the recordings that no subject has responses to, whether chosen or not.
func (f *find) unheard() error {
	files, err := below(filepath.Join(f.Source, "stimuli"))
	if err != nil {
		return err
	}
	var recordings, stories []string
	for _, file := range files {
		if imports.IsAudio(file) {
			recordings = append(recordings, strings.TrimSuffix(file, filepath.Ext(file)))
		}
	}
	dir := filepath.Join(f.derivative, "preprocessed_data")
	subjects, err := below(dir)
	if err != nil {
		return err
	}
	for _, subject := range subjects {
		responses, _ := below(filepath.Join(dir, subject)) // of a file there are none
		for _, file := range responses {
			stories = append(stories, strings.TrimSuffix(file, ".hf5"))
		}
	}
	f.Unheard(recordings, stories)
	return nil
}

// masks finds the mask of each subject and compares its voxels with the columns.
func (f *find) masks() error {
	for i := range f.Subjects {
		s := &f.Subjects[i]
		transform := f.transforms[s.Name]
		if transform == "" {
			transform = s.Name + "_auto"
		}
		path := filepath.Join(f.derivative, "pycortex-db", s.Name, "transforms", transform, "mask_thick.nii.gz")
		if _, err := os.Lstat(path); err != nil {
			f.Note("subject %s has no mask (pycortex-db), so that maps cannot be drawn", s.Name)
			continue
		}
		s.Mask = &imports.Mask{File: path, XFirst: true}
		if _, there, err := f.File(path); err != nil || !there {
			if err != nil {
				return err
			}
			continue
		}
		volume, err := cortex.ReadMask(path, cortex.XFastest)
		if err != nil {
			return err
		}
		s.Mask.Voxels, s.Mask.Affine = len(volume.Voxels), volume.Affine
		if _, _, voxels := s.Responses[0].Extent(); voxels > 0 && voxels != s.Mask.Voxels {
			return f.Fail(path, "the mask has %d voxels, the responses of subject %s have %d", s.Mask.Voxels, s.Name,
				voxels)
		}
	}
	return nil
}
