package experiment

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// LagWindow is a window of lags in milliseconds, with both ends.
type LagWindow struct {
	Name     string
	From, To float64
}

// Windows returns readout.lag_windows. Entries must have been checked.
func (r Readout) Windows() (out []LagWindow) {
	for _, text := range r.LagWindows {
		if w, ok := lagWindow(text); ok {
			out = append(out, w)
		}
	}
	return out
}

// lagWindow reads NAME=FROM:TO.
func lagWindow(text string) (w LagWindow, ok bool) {
	name, span, ok := strings.Cut(text, "=")
	from, to, both := strings.Cut(span, ":")
	var errs [2]error
	w.Name = name
	w.From, errs[0] = strconv.ParseFloat(from, 64)
	w.To, errs[1] = strconv.ParseFloat(to, 64)
	named := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return w, ok && both && named && errs == [2]error{} && w.From >= 0 && w.From <= w.To && w.To <= 120_000
}

// lagWindows accepts windows of lags with names of their own.
func lagWindows(v any) string {
	seen := map[string]bool{}
	for _, text := range *v.(*[]string) {
		w, ok := lagWindow(text)
		switch {
		case !ok:
			return fmt.Sprintf("%s is no window NAME=FROM:TO of lags from 0 to 120000 ms", short(text))
		case seen[w.Name]:
			return fmt.Sprintf("%s is named twice", short(w.Name))
		}
		seen[w.Name] = true
	}
	return ""
}
