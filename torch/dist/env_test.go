package dist

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

type environment map[string]string

func (e environment) look(key string) (string, bool) { v, ok := e[key]; return v, ok }

// with returns e with some variables changed; "" unsets one.
func (e environment) with(pairs ...string) environment {
	out := environment{}
	for k, v := range e {
		out[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

var (
	plainEnv    = environment{"RANK": "3", "WORLD_SIZE": "8", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}
	torchrunEnv = plainEnv.with("LOCAL_RANK", "1", "LOCAL_WORLD_SIZE", "2", "TORCHELASTIC_RUN_ID", "abc",
		"TORCHELASTIC_RESTART_COUNT", "2", "TORCHELASTIC_USE_AGENT_STORE", "True", "PET_NNODES", "4")
	slurmEnv = environment{"SLURM_PROCID": "5", "SLURM_NTASKS": "8", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "4711",
		"SLURM_STEP_ID": "2", "SLURM_STEP_NODELIST": "node[03-05,9],gpu1", "SLURM_NTASKS_PER_NODE": "2"}
	kubeflowEnv = environment{"PET_NODE_RANK": "1", "PET_NNODES": "4", "PET_NPROC_PER_NODE": "1",
		"PET_MASTER_ADDR": "job-node-0-0.job", "PET_MASTER_PORT": "29400"}
)

func TestThePlaceOfAProcessFollowsFromTheLaunchersVariables(t *testing.T) {
	one := Env{World: 1}
	slurm := Env{Rank: 5, World: 8, local: 1, localWorld: 2, host: "node03", port: 20000 + (4711*31+2)%12000,
		attempt: "4711.2/0", launcher: "slurm"}
	second := slurm
	second.host, second.port, second.World, second.attempt = "10.1.1.1", 4000, 6, "4711.2/1"
	batch := slurmEnv.with("SLURM_STEP_ID", "", "SLURM_STEP_NODELIST", "", "SLURM_JOB_NODELIST", "a[1-2]")
	for name, c := range map[string]struct {
		env  environment
		want Env
	}{
		"nothing":        {environment{}, one},
		"a world of one": {plainEnv.with("RANK", "0", "WORLD_SIZE", "1", "MASTER_ADDR", ""), one},
		"empty":          {environment{"RANK": "", "WORLD_SIZE": "", "SLURM_PROCID": ""}, one},
		"plain": {plainEnv, Env{Rank: 3, World: 8, host: "10.0.0.1", port: 29500,
			launcher: "variables"}},
		"torchrun": {torchrunEnv, Env{Rank: 3, World: 8, local: 1, localWorld: 2, host: "10.0.0.1", port: 29500,
			agent: true, attempt: "abc/2", launcher: "torchrun"}},
		"torchrun without its own store": {torchrunEnv.with("TORCHELASTIC_USE_AGENT_STORE", "False",
			"TORCHELASTIC_RESTART_COUNT", ""), Env{Rank: 3, World: 8, local: 1, localWorld: 2, host: "10.0.0.1",
			port: 29500, attempt: "abc/0", launcher: "torchrun"}},
		"torchrun in a step of srun": {torchrunEnv.with("SLURM_PROCID", "1", "SLURM_STEP_ID", "0", "SLURM_NTASKS",
			"4"), Env{Rank: 3, World: 8, local: 1, localWorld: 2, host: "10.0.0.1", port: 29500, agent: true,
			attempt: "abc/2", launcher: "torchrun"}},
		"a task of srun": {slurmEnv, slurm},
		"a smaller step, started again": {slurmEnv.with("SLURM_STEP_NUM_TASKS", "6", "SLURM_RESTART_COUNT", "1",
			"MASTER_ADDR", "10.1.1.1", "MASTER_PORT", "4000"), second},
		"the shell of an sbatch script": {batch.with("SLURM_PROCID", "0"), one},
		"a shell without a number":      {batch.with("SLURM_PROCID", ""), one},
		"a step of one task":            {slurmEnv.with("SLURM_PROCID", "0", "SLURM_STEP_NUM_TASKS", "1"), one},
		"a job of Kubeflow": {kubeflowEnv, Env{Rank: 1, World: 4, localWorld: 1, host: "job-node-0-0.job",
			port: 29400, launcher: "kubeflow"}},
		"a job of Kubeflow on one node": {kubeflowEnv.with("PET_NODE_RANK", "0", "PET_NNODES", "1"), one},
		"a job of Kubeflow's first trainer": {plainEnv.with("PET_NNODES", "8", "PET_NODE_RANK", "3"),
			Env{Rank: 3, World: 8, host: "10.0.0.1", port: 29500, launcher: "variables"}},
	} {
		got, err := fromEnv(c.env.look)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
	}
}

func TestVariablesThatContradictEachOtherAreRefused(t *testing.T) {
	for message, env := range map[string]environment{
		"RANK: 8 is not below the number of processes, 8":                 plainEnv.with("RANK", "8"),
		`RANK: "-1" is no whole number`:                                   plainEnv.with("RANK", "-1"),
		`RANK: "two" is no whole number`:                                  plainEnv.with("RANK", "two"),
		"RANK: is not set, and WORLD_SIZE is 8":                           plainEnv.with("RANK", ""),
		"WORLD_SIZE: is not set, and RANK is":                             plainEnv.with("WORLD_SIZE", ""),
		"WORLD_SIZE: is 0":                                                plainEnv.with("WORLD_SIZE", "0"),
		`WORLD_SIZE: "8.0" is no whole number`:                            plainEnv.with("WORLD_SIZE", "8.0"),
		"MASTER_ADDR: is not set, and there are 8 processes":              plainEnv.with("MASTER_ADDR", ""),
		"MASTER_PORT: is not set, and there are 8 processes":              plainEnv.with("MASTER_PORT", ""),
		"MASTER_PORT: 65536 is no port":                                   plainEnv.with("MASTER_PORT", "65536"),
		`LOCAL_RANK: "x" is no whole number`:                              plainEnv.with("LOCAL_RANK", "x"),
		"RANK: 5 is not below the number of processes, 4":                 slurmEnv.with("SLURM_NTASKS", "4"),
		`SLURM_JOB_ID: "x" is no whole number`:                            slurmEnv.with("SLURM_JOB_ID", "x"),
		"MASTER_ADDR: is not set, and there are 8":                        slurmEnv.with("SLURM_STEP_NODELIST", "a["),
		`PET_NPROC_PER_NODE: "4" processes on each node are for torchrun`: kubeflowEnv.with("PET_NPROC_PER_NODE", "4"),
		`PET_NNODES: "1:4" is a range of nodes, which is for`:             kubeflowEnv.with("PET_NNODES", "1:4"),
		"PET_NODE_RANK: is not set, and PET_NNODES is 4":                  kubeflowEnv.with("PET_NODE_RANK", ""),
		"PET_NNODES: is not set, and PET_NODE_RANK is":                    kubeflowEnv.with("PET_NNODES", ""),
	} {
		got, err := fromEnv(env.look)
		require.ErrorContains(t, err, "join ranks: "+message)
		assert.Equal(t, fault.Usage, fault.KindOf(err), message)
		assert.Zero(t, got)
	}
}

func TestFirstHostOfAList(t *testing.T) {
	for list, want := range map[string]string{
		"node03": "node03", "node[03-05,9],gpu1": "node03", "a,b": "a", "gpu-[1,3]": "gpu-1",
		"x[001-004]-ib": "x001-ib",
		"login,n[1-2]":  "login", "r[1-2]n[07-09],z": "r1n07", "": "", "a[": "", "a[]b": "",
	} {
		assert.Equal(t, want, firstHost(list), list)
	}
}
