package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/brainwavlm/bwlm/fault"
)

// errorReport is an error under --json, on standard output where the answer would be.
type errorReport struct {
	Error struct {
		Code   int    `json:"code"` // the exit code
		Op     string `json:"op"`
		Path   string `json:"path"`
		Reason string `json:"reason"`
		Hint   string `json:"hint"`
	} `json:"error"`
}

// report prints an error on one line and returns its exit code. Under --json the same is printed as an object as well,
// unless a part of the answer stands there already.
func (a *app) report(err error) int {
	f := asFault(err)
	adviseAllow(f)
	f = withTerms(f)
	a.ui.Fail(oneLine(f.Error()))
	if a.json && !a.answered {
		var r errorReport
		r.Error.Code = int(f.Kind)
		r.Error.Op, r.Error.Path, r.Error.Reason, r.Error.Hint = oneLine(f.Op), oneLine(f.Path), oneLine(f.Reason),
			oneLine(f.Hint)
		_ = a.print(r) // nowhere is left to say that this failed
	}
	if a.debug {
		for e := err; e != nil; e = errors.Unwrap(e) {
			a.ui.Fail(fmt.Sprintf("debug: %T: %v", e, e))
		}
	}
	return int(f.Kind)
}

// asFault gives every error a kind. Errors of tensor mathematics get theirs here: memory, or a mistake in bwlm.
func asFault(err error) *fault.Error {
	if f, ok := err.(*fault.Error); ok {
		return f
	}
	if fault.KindOf(err) == fault.Memory {
		return fault.Wrap(fault.Memory, "", "", err).WithHint("free some, or use a smaller block, window or model")
	}
	return fault.Wrap(fault.KindOf(err), "", "", err) // the text around a fault is part of its reason
}

// oneLine keeps line breaks and other control characters, which a path or a library may hold, out of a message.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
