package dist

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

const joining = "join ranks"

// Env is the place of a process among those that compute together, as a launcher's variables give it.
type Env struct {
	Rank, World int    // number of this process from 0, and number of all
	local       int    // number of this process among those of its machine
	localWorld  int    // number of those; 0: unknown
	host        string // where rank 0 can be reached, or the launcher's store
	port        int
	agent       bool   // the launcher keeps the store, so that no rank serves it
	attempt     string // of the job: a restarted one does not meet what the one before left in the store
	launcher    string // "torchrun", "kubeflow", "slurm" or "variables"; "" for one process
}

// FromEnv reads the variables of torchrun, of Kubeflow, of srun, or plain ones: RANK, WORLD_SIZE, MASTER_ADDR and
// MASTER_PORT. A process without them is one of one, and so is the shell of an sbatch script. Variables that
// contradict each other are an error of kind Usage.
func FromEnv() (Env, error) { return fromEnv(os.LookupEnv) }

// variables reads numbers and texts, and keeps the first error.
type variables struct {
	look func(string) (string, bool)
	err  error
}

// text returns the first of some variables that is set and not empty.
func (v *variables) text(keys ...string) string {
	for _, key := range keys {
		if value, _ := v.look(key); value != "" {
			return value
		}
	}
	return ""
}

func (v *variables) has(keys ...string) bool { return v.text(keys...) != "" }

// number returns the first of some variables that is set, a whole number from 0; otherwise where none is.
func (v *variables) number(otherwise int, keys ...string) int {
	for _, key := range keys {
		text := v.text(key)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			v.fail(key, "%q is no whole number from 0", text)
			return otherwise
		}
		return n
	}
	return otherwise
}

func (v *variables) fail(key, reason string, args ...any) {
	if v.err == nil {
		v.err = fault.New(fault.Usage, joining, key, reason, args...).
			WithHint("start all processes with torchrun or srun, or set RANK, WORLD_SIZE, MASTER_ADDR and " +
				"MASTER_PORT; unset them for one process")
	}
}

func fromEnv(look func(string) (string, bool)) (Env, error) {
	v := &variables{look: look}
	e := Env{World: 1}
	switch {
	case v.has("RANK", "WORLD_SIZE"):
		e = v.plain()
	case v.has("PET_NODE_RANK", "PET_NNODES"):
		e = v.kubeflow()
	case v.has("SLURM_PROCID") && (v.has("SLURM_STEP_ID", "SLURM_STEPID", "SLURM_STEP_NODELIST",
		"SLURM_STEP_NUM_TASKS") || v.text("SLURM_PROCID") != "0"): // a batch shell has a number, but no step
		e = v.slurm()
	}
	switch {
	case v.err != nil:
	case e.World < 1:
		v.fail("WORLD_SIZE", "is 0")
	case e.Rank >= e.World:
		v.fail("RANK", "%d is not below the number of processes, %d", e.Rank, e.World)
	case e.World == 1:
		return Env{World: 1}, nil
	case e.host == "":
		v.fail("MASTER_ADDR", "is not set, and there are %d processes", e.World)
	case e.port == 0:
		v.fail("MASTER_PORT", "is not set, and there are %d processes", e.World)
	case e.port > 65535:
		v.fail("MASTER_PORT", "%d is no port", e.port)
	}
	if v.err != nil {
		return Env{}, v.err
	}
	return e, nil
}

// plain reads the variables that PyTorch's own programs read. torchrun adds some.
func (v *variables) plain() Env {
	if !v.has("WORLD_SIZE") {
		v.fail("WORLD_SIZE", "is not set, and RANK is")
	}
	e := Env{World: v.number(1, "WORLD_SIZE"), local: v.number(0, "LOCAL_RANK"),
		localWorld: v.number(0, "LOCAL_WORLD_SIZE"), launcher: "variables",
		host: v.text("MASTER_ADDR"), port: v.number(0, "MASTER_PORT")}
	if e.World > 1 && !v.has("RANK") {
		v.fail("RANK", "is not set, and WORLD_SIZE is %d", e.World)
	}
	e.Rank = v.number(0, "RANK")
	if id := v.text("TORCHELASTIC_RUN_ID"); id != "" {
		e.launcher, e.agent = "torchrun", strings.EqualFold(v.text("TORCHELASTIC_USE_AGENT_STORE"), "true")
		e.attempt = id + "/" + cmp.Or(v.text("TORCHELASTIC_RESTART_COUNT"), "0")
	}
	return e
}

// kubeflow reads the variables of Kubeflow's trainer, which are those of torchrun, for a program that is started
// without it: one process on each node.
func (v *variables) kubeflow() Env {
	if n := v.text("PET_NPROC_PER_NODE"); n != "" && n != "1" && n != "auto" && n != "cpu" && n != "gpu" {
		v.fail("PET_NPROC_PER_NODE", "%q processes on each node are for torchrun to start", n)
	}
	if nodes := v.text("PET_NNODES"); strings.Contains(nodes, ":") {
		v.fail("PET_NNODES", "%q is a range of nodes, which is for torchrun to settle", nodes)
	}
	if !v.has("PET_NNODES") {
		v.fail("PET_NNODES", "is not set, and PET_NODE_RANK is")
	}
	e := Env{Rank: v.number(0, "PET_NODE_RANK"), World: v.number(1, "PET_NNODES"), localWorld: 1, launcher: "kubeflow",
		host: v.text("MASTER_ADDR", "PET_MASTER_ADDR"), port: v.number(0, "MASTER_PORT", "PET_MASTER_PORT")}
	if e.World > 1 && !v.has("PET_NODE_RANK") {
		v.fail("PET_NODE_RANK", "is not set, and PET_NNODES is %d", e.World)
	}
	return e
}

// slurm reads the variables of a task of srun.
func (v *variables) slurm() Env {
	e := Env{Rank: v.number(0, "SLURM_PROCID"), World: v.number(1, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS"),
		local: v.number(0, "SLURM_LOCALID"), localWorld: v.number(0, "SLURM_NTASKS_PER_NODE"), launcher: "slurm"}
	job, step := v.number(0, "SLURM_JOB_ID", "SLURM_JOBID"), v.number(0, "SLURM_STEP_ID", "SLURM_STEPID")
	e.attempt = fmt.Sprintf("%d.%d/%d", job, step, v.number(0, "SLURM_RESTART_COUNT"))
	e.host = cmp.Or(v.text("MASTER_ADDR"), firstHost(v.text("SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST",
		"SLURM_NODELIST")))
	const least, span = 20000, 12000 // below the ports that the system gives to those who ask for any
	e.port = v.number(least+(job*31+step)%span, "MASTER_PORT")
	return e
}

// firstHost returns the first host of a list as SLURM writes it, such as node[03-05,9],gpu1.
func firstHost(list string) string {
	var host strings.Builder
	for list != "" {
		at := strings.IndexAny(list, "[,")
		if at < 0 || list[at] == ',' {
			host.WriteString(list[:max(at, 0)])
			if at < 0 {
				host.WriteString(list)
			}
			break
		}
		host.WriteString(list[:at])
		numbers, rest, closed := strings.Cut(list[at+1:], "]")
		first, _, _ := strings.Cut(numbers, ",")
		first, _, _ = strings.Cut(first, "-")
		if !closed || first == "" {
			return ""
		}
		host.WriteString(first)
		list = rest
	}
	return host.String()
}

// String says where the process is.
func (e Env) String() string {
	if e.World <= 1 {
		return "one process"
	}
	return fmt.Sprintf("rank %d of %d (%s, %s)", e.Rank, e.World, e.launcher,
		net.JoinHostPort(e.host, strconv.Itoa(e.port)))
}
