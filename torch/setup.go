package torch

import (
	"os"
	"strings"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/proc"
)

// SetupOptions are the settings of a process for [Setup]. The zero value is what a program without
// Setup has.
type SetupOptions struct {
	// Workers is the number of closures that run at the same time. 0 means 1.
	Workers int

	// Threads is the number of OpenMP threads of each worker. The last bits of results depend on
	// it. 0 means OMP_NUM_THREADS, or if that is not set the number of processors, or the CPU limit
	// of the cgroup (cpu.max) if that is lower.
	Threads int

	// KeepMemory makes malloc reuse what tensors free instead of returning it to the system, and
	// use one arena for all threads. Mapping the large tensors of each step anew can take half of
	// the time. The process then stays as large as it ever was, which suits a training and not
	// every service.
	KeepMemory bool

	// Reexec makes Setup start the program again, by execve: with the same arguments, process
	// number and open files. It does so at most once, to set variables that libgomp and malloc read
	// before main, unless the environment has them:
	//
	//	OMP_WAIT_POLICY=PASSIVE   waiting threads of OpenMP sleep
	//	GOMP_SPINCOUNT=5000       after they have spun for some microseconds
	//	MALLOC_ARENA_MAX=1        with KeepMemory: one arena from the first allocation on
	//
	// Setup must then be the first thing in main, since what comes before it happens twice. Without
	// Reexec, set the variables where the program is started.
	Reexec bool
}

// Setup sets the policy of this process for threads and memory. It must come before the first
// closure, else it returns ErrStarted. The last call counts. A program that does not call Setup
// computes the same results, but more slowly; see the section on processes in the documentation of
// the package.
func Setup(opt SetupOptions) error {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.started {
		return ErrStarted
	}
	if opt.Reexec {
		reexec(opt)
	}
	if opt.KeepMemory {
		keepMemory()
	}
	pool.opt = opt
	return nil
}

// reexec replaces this process by one with the variables of opt, and returns if they are all set.
// It also returns if the program cannot be started again: the variables affect speed only.
func reexec(opt SetupOptions) {
	self, err := os.Executable()
	if env := withPolicy(os.Environ(), opt); err == nil && env != nil {
		_ = syscall.Exec(self, os.Args, env)
	}
}

// withPolicy returns an environment with the variables of opt added, nil if it has them all.
func withPolicy(env []string, opt SetupOptions) []string {
	added := false
	add := func(name, value string) bool {
		for _, v := range env {
			if strings.HasPrefix(v, name+"=") {
				return false
			}
		}
		env, added = append(env, name+"="+value), true
		return true
	}
	if add("OMP_WAIT_POLICY", "PASSIVE") {
		add("GOMP_SPINCOUNT", "5000")
	}
	if opt.KeepMemory {
		add("MALLOC_ARENA_MAX", "1")
	}
	if !added {
		return nil
	}
	return env
}

// Threads returns the number of OpenMP threads of each worker. It starts the workers.
func Threads() int {
	pool.start()
	return pool.threads
}

// threads returns the number of threads of a worker, 0 for libtorch's default: that knows
// OMP_NUM_THREADS and the number of processors, but not the quota of a cgroup.
func (opt SetupOptions) threads() int {
	if opt.Threads == 0 && os.Getenv("OMP_NUM_THREADS") == "" {
		return proc.Threads()
	}
	return opt.Threads
}

// LoadCUDA loads the CUDA half of libtorch, which registers its kernels. It must come before the
// first closure, else it returns ErrStarted. Programs usually call [OpenDevice] instead. Without
// LoadCUDA, no CUDA library is opened. A second call does nothing. Success does not mean that there
// is a device; see [CUDADevices].
func LoadCUDA() error {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.cuda {
		return nil
	}
	if pool.started {
		return ErrStarted
	}
	if err := Available(); err != nil {
		return err
	}
	if err := loadCUDA(); err != nil {
		return fault.Wrap(fault.Unavailable, "load CUDA", "", err).
			WithHint("fetch it with `scripts/fetch_libtorch.sh cuda`, or use the CPU")
	}
	pool.cuda = true
	return nil
}

// CUDADevices returns the number of CUDA devices; 0 before [LoadCUDA].
func CUDADevices() int {
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if !pool.cuda { // libtorch would remember that there are none
		return 0
	}
	return cudaDevices()
}
