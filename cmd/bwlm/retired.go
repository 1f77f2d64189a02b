package main

// retiredCommands gives the successors of commands that earlier versions had.
var retiredCommands = map[string]string{
	"align":        "check-timing",
	"seal":         "lock-analysis",
	"explain-gain": "variance-partition",
}

// retiredFlags gives the successors of flags, for the commands that have the new flag.
var retiredFlags = map[string]string{
	"region":     "roi",
	"no-regions": "no-rois",
	"token":      "pooling",
	"mode":       "extraction",
	"block":      "chunk",
	"people":     "subjects",
}
