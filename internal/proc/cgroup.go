package proc

import (
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// Memory is what the machine has and what is free, in bytes, both at most the limits of the cgroups that this process
// is in. What cannot be read is 0.
func Memory() (total, available int64) { return memory("/") }

// Threads returns the number of threads that the CPU quotas of this process's cgroups can keep busy.
// It returns 0 if there is no quota below the number of processors.
func Threads() int { return threads("/", runtime.NumCPU()) }

// memory is Memory of a file system below a folder.
func memory(root string) (total, available int64) {
	for key, value := range fields(filepath.Join(root, "proc/meminfo")) {
		size, err := kibibytes(value)
		switch {
		case err != nil:
		case key == "MemTotal":
			total = size
		case key == "MemAvailable":
			available = size
		}
	}
	machine := total
	for _, group := range cgroups(root, "memory") {
		limit, used := first(group, "memory.max", "memory.limit_in_bytes"),
			first(group, "memory.current", "memory.usage_in_bytes")
		if len(limit) != 1 || len(used) != 1 || limit[0] >= float64(machine) {
			continue
		}
		total = min(total, int64(limit[0]))
		available = min(available, max(0, int64(limit[0]-used[0])))
	}
	return total, available
}

// threads is Threads of a file system below a folder, on a machine of so many processors.
func threads(root string, processors int) int {
	least := float64(processors)
	for _, group := range cgroups(root, "cpu") {
		quota := first(group, "cpu.max") // microseconds of CPU time in a period, and the period
		if quota == nil {
			quota = append(first(group, "cpu.cfs_quota_us"), first(group, "cpu.cfs_period_us")...)
		}
		if len(quota) == 2 && quota[0] > 0 && quota[1] > 0 {
			least = min(least, quota[0]/quota[1])
		}
	}
	if n := int(math.Ceil(least)); n < processors {
		return n
	}
	return 0
}

// cgroups returns the folders of this process's cgroup and of all above it, whose limits hold, too: those of version 2,
// and those of version 1 with a controller. A folder need not be there: a container may see its own group as the top.
func cgroups(root, controller string) (folders []string) {
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(parts) != 3 {
			continue
		}
		mounts := []string{"", "unified"} // the second where a machine has both versions
		if parts[1] != "" {
			if !slices.Contains(strings.Split(parts[1], ","), controller) {
				continue
			}
			mounts = []string{parts[1], controller}
		}
		group := path.Clean("/" + parts[2])
		if strings.HasPrefix(parts[2], "/..") { // above what this namespace shows
			group = "/"
		}
		for {
			for _, mount := range mounts {
				folders = append(folders, filepath.Join(root, "sys/fs/cgroup", mount, group))
			}
			if group == "/" {
				break
			}
			group = path.Dir(group)
		}
	}
	return folders
}

// first returns the numbers in the first file that a cgroup has; nil if it has none of them, or if one says "max".
func first(group string, files ...string) (numbers []float64) {
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(group, file))
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			n, err := strconv.ParseFloat(word, 64)
			if err != nil {
				return nil
			}
			numbers = append(numbers, n)
		}
		return numbers
	}
	return nil
}
