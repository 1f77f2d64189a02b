package main

import (
	"regexp"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// terms are what packages advise, in terms of options, fields and keys, and the same with commands and flags. %s stands
// for a path. The first entry that fits counts.
var terms = []struct{ library, command string }{
	{"check the name, or start from experiment.Template", "check the name, or make one with `bwlm init > exp.yaml`"},
	{"add it, or start from experiment.Template", "add it, or start from a file that `bwlm init` prints"},
	{"start from experiment.Template", "start from the file that `bwlm init` prints"},
	{`quote it as YAML does, as in data.subjects=["sub-1*"]`,
		`put quotes inside the shell's, as in --set 'data.subjects=["sub-1*"]'`},
	{"resume %s, or choose another out", "resume it with `bwlm resume %s`, or choose another out"},
	{"resume %s", "resume it with `bwlm resume %s`"},
	{"train again from the start", "start again with `bwlm train`"},
	{"name the directory of a run, an evaluation or a demo",
		"name a directory that `bwlm train`, `bwlm eval` or `bwlm demo` wrote"},
	{"name the directory of a run", "name a directory that `bwlm train` wrote"},
	{"evaluate %s again", "write the scores again with `bwlm eval %s`"},
	{"evaluate %s", "write them with `bwlm eval %s`"},
	{"make the demo again with Force", "run it again with --force"},
	{"choose another Out, or set Force to replace it", "choose another --out, or --force to replace it"},
	{"choose another Out", "choose another --out"},
	{"choose another folder, or set Force to replace it", "choose another folder, or replace it with --force"},
	{"make room there, or choose another folder for the cache",
		"make room there, or choose another folder: --cache-dir"},
	{"choose another folder for the cache", "choose another folder: --cache-dir"},
	{"or write only csv and json", "or write the tables (--format csv,json)"},
	{"leave it out of Formats", "leave it out of --format"},
	{"name it in Maps", "name a map with --map NAME=FILE"},
	{"or scan less far (MaxLag)", "or scan less far (--max-lag)"},
	{"scan further (MaxLag); if it stays there, audio and responses may not belong together",
		"scan further (--max-lag); if it stays there, audio and responses may not belong together"},
	{"use auditory cortex only (ROI), or more subjects; otherwise audio and responses may not belong together",
		"use auditory cortex only (--roi), or more subjects; otherwise audio and responses may not belong together"},
	{"or import the folder", "or make a data set of the folder with `bwlm import auto`"},
	{"copy them", "copy them: --copy"},
	{"choose one of them by name: %s", "name one of them with --var: %s"},
	{"choose another folder, or fewer subjects or stories", "choose another --out, or fewer --subjects or --stories"},
	{"import it as 64-bit floats", "import it with --dtype f8"},
	{"no word vectors were given", "no word vectors were given (--glove)"},
	{"get the recordings, or name the folder where they are",
		"get the recordings, or name their folder: --audio FOLDER"},
	{"select one by kind, space and desc", "select one: --form, --space or --desc"},
	{"name the recording of this task in the options, or leave the task out",
		"name the recording (--audio TASK=FILE), or take other tasks (--task)"},
	{"name the recording of the task", "name the recording: --audio TASK=FILE"},
	{"preprocess them, e.g. with fMRIPrep, or take them as they are: Raw",
		"preprocess them, e.g. with fMRIPrep, or take them as they are: --raw"},
	{"take the vertices of the cortex alone", "take the vertices of the cortex alone: --voxels cortical"},
	{"name a file with the columns of the subject, or import all voxels",
		"name a file with the columns of the subject (--voxels FILE.npy), or import all voxels"},
	{"save it as TRs × voxels, or import it transposed", "import it with --transpose, or save it as TRs × voxels"},
	{"have the integers scaled, or save what they stand for as floats",
		"multiply by it (--scale), or save what the integers stand for as floats"},
	{"or set insecure", "or allow it with --insecure"},
	{"configure what Digest returns", "`bwlm serve --digest FOLDER` prints it"},
	{"select one subject", "select one: --subjects"},
	{"choose one task", "choose one: --task"},
	{"write one with the columns onset, duration and stim_file, or leave the task out",
		"write one with the columns onset, duration and stim_file, or give --audio TASK=FILE and --onset SECONDS, " +
			"or take other tasks (--task)"},
}

// termPatterns find an entry at the end of a text: the whole of it, or what follows "; " or ", ". A path has no `,
// so that nothing is put twice.
var termPatterns = func() (list []*regexp.Regexp) {
	for _, t := range terms {
		hint := strings.Replace(regexp.QuoteMeta(t.library), "%s", "([^`]+)", 1)
		list = append(list, regexp.MustCompile(`(?s)(^|; |, )`+hint+`$`))
	}
	return list
}()

// inTerms puts the advice at the end of a text into terms of the command.
func inTerms(text string) string {
	for i, p := range termPatterns {
		if at := p.FindStringSubmatchIndex(text); at != nil {
			path := ""
			if len(at) > 4 {
				path = text[at[4]:at[5]]
			}
			return text[:at[3]] + strings.Replace(terms[i].command, "%s", path, 1)
		}
	}
	return text
}

// placeInTerms puts the place of an error into terms of the command: a setting is --set, an option its flag.
func placeInTerms(path string) string {
	if setting, ok := strings.CutPrefix(path, "setting "); ok {
		return "--set " + setting
	}
	if path == "Formats" {
		return "--format"
	}
	return path
}

// withTerms is an error in terms of the command. A device that is not there gets the command that shows what is.
func withTerms(f *fault.Error) *fault.Error {
	out := *f
	out.Path, out.Hint = placeInTerms(f.Path), inTerms(f.Hint)
	if f.Reason == "" && f.Err != nil { // which may be text around a fault
		out.Reason = inTerms(f.Err.Error())
	}
	if f.Op == "open device" && f.Kind == fault.Unavailable {
		out.Hint = strings.TrimSuffix("`bwlm doctor` shows what is here; "+out.Hint, "; ")
	}
	return &out
}
