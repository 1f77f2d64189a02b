package experiment

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// units are what may follow a number of bytes; the first that fits holds.
var units = []struct {
	name  string
	bytes float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}, {"B", 1}, {"", 1},
}

// ParseSize reads a number of bytes such as 8GiB, 500MB or 1e9.
func ParseSize(text string) (int64, error) {
	for _, u := range units {
		number, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || !(x >= 0 && x*u.bytes < math.MaxInt64) {
			break
		}
		return int64(x * u.bytes), nil
	}
	return 0, fmt.Errorf("%q is no size; write 8GiB or 500MB", text)
}

// MaxBytes is MaxMemory in bytes; 0 where there is no bound.
func (e *Experiment) MaxBytes() int64 {
	n, err := ParseSize(e.MaxMemory)
	if err != nil {
		return 0 // "none"
	}
	return n
}

// memory accepts none or a size.
func memory(v any) string {
	text := *v.(*string)
	if n, err := ParseSize(text); text != "none" && (err != nil || n == 0) {
		return fmt.Sprintf("%s is neither none nor a size such as 8GiB", short(text))
	}
	return ""
}
