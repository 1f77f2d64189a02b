package rundir

import (
	"path/filepath"

	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/torch"
)

// profile is the content of a profile file.
type profile struct {
	Schema  int    `json:"schema"`
	Torch   string `json:"torch"`
	Threads int    `json:"threads"`
	*torch.ProfileReport
}

// WriteProfile leaves profile.json and trace.json, for chrome://tracing and Perfetto, in a folder.
func WriteProfile(dir string, p *torch.Profile) error {
	if err := atomicfile.Write(filepath.Join(dir, "trace.json"), p.WriteTrace); err != nil {
		return err
	}
	return jsonfile.Write(filepath.Join(dir, "profile.json"), profile{1, torch.Version(), torch.Threads(), p.Report()})
}
