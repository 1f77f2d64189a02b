package proc

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fakeRoot writes the files of a machine with 1 GiB of memory, 512 MiB of which are available.
func fakeRoot(t *testing.T, files map[string]string) string {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write("proc/meminfo", "MemTotal: 1048576 kB\nMemFree: 1 kB\nMemAvailable: 524288 kB\n")
	for name, text := range files {
		write(name, text)
	}
	return root
}

func TestThreadsAreThoseOfTheLeastQuotaOfTheCgroups(t *testing.T) {
	const cgroup, top = "proc/self/cgroup", "sys/fs/cgroup/"
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int
	}{
		{"no cgroup", nil, 0},
		{"no quota", map[string]string{cgroup: "0::/\n", top + "cpu.max": "max 100000\n"}, 0},
		{"namespace: the top", map[string]string{cgroup: "0::/\n", top + "cpu.max": "150000 100000\n"}, 2},
		{"own group", map[string]string{cgroup: "0::/a/b\n", top + "a/b/cpu.max": "100000 100000\n"}, 1},
		{"group above", map[string]string{cgroup: "0::/a/b\n", top + "a/b/cpu.max": "300000 100000\n",
			top + "a/cpu.max": "200000 100000\n", top + "cpu.max": "max 100000\n"}, 2},
		{"another group", map[string]string{cgroup: "0::/a\n", top + "b/cpu.max": "100000 100000\n"}, 0},
		{"above the namespace", map[string]string{cgroup: "0::/../../a\n", top + "cpu.max": "200000 100000\n",
			top + "a/cpu.max": "100000 100000\n"}, 2},
		{"version 1", map[string]string{cgroup: "12:cpu,cpuacct:/a\n11:memory:/b\n",
			top + "cpu,cpuacct/a/cpu.cfs_quota_us": "250000\n", top + "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
			top + "cpu,cpuacct/b/cpu.cfs_quota_us": "100000\n", top + "cpu,cpuacct/b/cpu.cfs_period_us": "100000\n",
			top + "cpu,cpuacct/cpu.cfs_quota_us": "-1\n", top + "cpu,cpuacct/cpu.cfs_period_us": "100000\n"}, 3},
		{"version 1 in a container that sees its group as the top", map[string]string{cgroup: "3:cpu:/docker/01ab\n",
			top + "cpu/cpu.cfs_quota_us": "50000\n", top + "cpu/cpu.cfs_period_us": "100000\n"}, 1},
		{"both versions", map[string]string{cgroup: "1:name=systemd:/a\n0::/a\n",
			top + "unified/a/cpu.max": "200000 100000\n"}, 2},
		{"more than the processors", map[string]string{cgroup: "0::/\n", top + "cpu.max": "400000 100000\n"}, 0},
		{"part of the last processor", map[string]string{cgroup: "0::/\n", top + "cpu.max": "350000 100000\n"}, 0},
		{"damaged", map[string]string{cgroup: "0::/\nx\n", top + "cpu.max": "100000\n"}, 0},
		{"zeros", map[string]string{cgroup: "0::/\n", top + "cpu.max": "0 0"}, 0},
		{"empty", map[string]string{cgroup: "0::/\n", top + "cpu.max": ""}, 0},
	} {
		assert.Equal(t, c.want, threads(fakeRoot(t, c.files), 4), c.name)
	}
}

func TestMemoryIsTheLeastOfTheCgroups(t *testing.T) {
	const cgroup, top = "proc/self/cgroup", "sys/fs/cgroup/"
	for _, c := range []struct {
		name             string
		files            map[string]string
		total, available int64 // MiB
	}{
		{"no cgroup", nil, 1024, 512},
		{"no limit", map[string]string{cgroup: "0::/a\n", top + "a/memory.max": "max\n",
			top + "a/memory.current": "1048576\n"}, 1024, 512},
		{"own group", map[string]string{cgroup: "0::/a\n", top + "a/memory.max": "268435456\n",
			top + "a/memory.current": "67108864\n"}, 256, 192},
		{"group above, which others fill", map[string]string{cgroup: "0::/a/b\n", top + "a/memory.max": "536870912\n",
			top + "a/memory.current": "503316480\n", top + "a/b/memory.max": "268435456\n",
			top + "a/b/memory.current": "67108864\n"}, 256, 32},
		{"the machine has less", map[string]string{cgroup: "0::/\n", top + "memory.max": "943718400\n",
			top + "memory.current": "0\n"}, 900, 512},
		{"above the limit", map[string]string{cgroup: "0::/\n", top + "memory.max": "1048576\n",
			top + "memory.current": "2097152\n"}, 1, 0},
		{"version 1", map[string]string{cgroup: "11:memory:/a\n", top + "memory/a/memory.limit_in_bytes": "268435456\n",
			top + "memory/a/memory.usage_in_bytes":   "67108864\n",
			top + "memory/memory.limit_in_bytes":     "9223372036854771712\n",
			top + "memory/memory.usage_in_bytes":     "67108864\n",
			top + "unified/a/memory.limit_in_bytes":  "1\n",
			top + "memory/b/memory.limit_in_bytes":   "1\n",
			top + "cpu,cpuacct/a/memory.usage_bytes": "1\n"}, 256, 192},
	} {
		total, available := memory(fakeRoot(t, c.files))
		assert.Equal(t, c.total<<20, total, c.name)
		assert.Equal(t, c.available<<20, available, c.name)
	}
}
