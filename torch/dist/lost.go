package dist

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/fault"
)

// graceTime is the time that other ranks have to say what they know, before the first of those who lost a rank leaves.
const graceTime = 800 * time.Millisecond

// lost finds out why an exchange failed, and returns the fault that it and all later ones return.
func (g *Group) lost(what string, err error, most time.Duration) error {
	late := errors.Is(err, errLate)
	at := strconv.FormatInt(g.seq.Load(), 10)
	store := g.set(keyAt(g.env.Rank), at)
	if store == nil {
		store = g.set(keyGone, "1")
	}
	failures, missing := []string(nil), []int(nil)
	for until := time.Now().Add(graceTime); store == nil; time.Sleep(graceTime / 10) {
		var failed, reached []string
		if failed, store = g.get(g.each(keyFailed)...); store == nil {
			reached, store = g.get(g.each(keyAt)...)
		}
		if store != nil {
			break // with what was known before
		}
		failures, missing = nil, nil
		for r := range failed {
			switch {
			case failed[r] != "":
				failures = append(failures, g.name(r)+" failed: "+failed[r])
			case reached[r] == "" || late && reached[r] != at:
				missing = append(missing, r)
			}
		}
		if len(missing) == 0 || time.Now().After(until) {
			break
		}
	}
	reason := oneLine(err.Error())
	switch {
	case len(failures) > 0:
		reason = strings.Join(failures, "; ")
	case len(missing) > 0 && late:
		reason = fmt.Sprintf("%s did not come in %v", ranks(missing, g.names), most)
	case len(missing) > 0:
		reason = "lost " + ranks(missing, g.names)
	case store != nil && g.env.Rank > 0 && !g.env.agent:
		reason = "lost " + g.name(0)
	}
	return fault.New(fault.Temporary, what, g.env.String(), "%s", reason).
		WithHint("see the log of that rank, and start all ranks anew: a training continues from its last checkpoint")
}

// waitForOthers lets the other ranks leave before the store ends with rank 0.
func (g *Group) waitForOthers() {
	for until := time.Now().Add(graceTime); time.Now().Before(until); time.Sleep(graceTime / 20) {
		left, err := g.get(g.each(keyLeft)...)
		if err != nil {
			return
		}
		all := true
		for _, yes := range left {
			all = all && yes != ""
		}
		if all {
			return
		}
	}
}

func (g *Group) name(rank int) string { return ranks([]int{rank}, g.names) }

// ranks names ranks, with process and host where they are known.
func ranks(list []int, names []string) string {
	const most = 8
	var text []string
	for _, r := range list[:min(len(list), most)] {
		one := strconv.Itoa(r)
		if names != nil {
			host, process, _ := strings.Cut(names[r], "\t")
			one += fmt.Sprintf(" (process %s on %s)", process, host)
		}
		text = append(text, one)
	}
	if len(list) > most {
		text = append(text, fmt.Sprintf("and %d more", len(list)-most))
	}
	if len(list) == 1 {
		return "rank " + text[0]
	}
	return "ranks " + strings.Join(text, ", ")
}

func oneLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// report writes an error to the file in which torchrun looks for the first failure, by its time.
func report(err error) {
	path := os.Getenv("TORCHELASTIC_ERROR_FILE")
	if path == "" {
		return
	}
	type extra struct {
		Timestamp string `json:"timestamp"`
		Callstack string `json:"py_callstack"`
	}
	type message struct {
		Message string `json:"message"`
		Extra   extra  `json:"extraInfo"`
	}
	text, _ := json.Marshal(map[string]message{"message": {oneLine(err.Error()),
		extra{Timestamp: strconv.FormatInt(time.Now().Unix(), 10)}}}) // texts encode
	_ = os.WriteFile(path, text, 0o644) // torchrun does without
}
