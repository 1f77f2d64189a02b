package dataset

// layoutKeys are the keys of each mapping of dataset.yaml, by the path of the mapping. Names of stories, subjects and
// ROIs are in capitals. docs/dataset-format.md describes each.
var layoutKeys = map[string][]string{
	"": {"name", "licence", "citation", "design", "tr_seconds", "row_time", "trimmed", "stories", "clip_seconds",
		"step_ms", "bin_ms", "first_ms", "baseline_ms", "channels", "events", "subjects", "derived", "motion",
		"features", "rois", "surface", "mask", "empty"},
	"events":                 {"table", "audio"},
	"subjects/SUBJECT":       {"file", "array", "step_seconds", "seconds"}, // design event
	"stories/STORY":          {"audio", "words", "phones", "speaker", "first_tr_seconds", "rows", "same_as"},
	"stories/STORY/rows":     {"first", "last"},
	"stories/STORY/same_as":  {"story", "row"},
	"subjects/SUBJECT/STORY": {"file", "array", "first_tr_seconds", "rows"},
	"derived/SUBJECT":        {"from", "responses"},
	"motion/SUBJECT/STORY":   {"file", "columns"},
	"features/SPACE":         {"file", "array"}, // design event
	"features/SPACE/STORY":   {"file", "array"},
	"surface":                {"left", "right", "vertices"},
	"mask":                   {"file", "order", "voxels"},
}
