package dist

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

const (
	deviceLibrary   = "libbwlm_nccl.so" // made by scripts/build_nccl.sh
	libraryVariable = "BWLM_NCCL_LIBRARY"
	backendVariable = "BWLM_DIST_BACKEND"
	connecting      = "connect GPUs"
)

// deviceBytes is the size from which an exchange goes between GPUs; below it the way there and back takes longer.
const deviceBytes = 64 << 10

// OnDevice makes large exchanges go between the ranks' GPUs by NCCL, of which this rank has d, and returns what
// exchanges go by: "nccl", or "gloo" and why. All ranks call it. They exchange by Gloo where one of them has no GPU or
// no libbwlm_nccl.so (beside its program or named by BWLM_NCCL_LIBRARY), where NCCL fails, and where
// BWLM_DIST_BACKEND is gloo; where that is nccl, they return an error of kind Unavailable instead. Agreements stay with
// Gloo. The results of [Sum] may differ from Gloo's in their last bits, no others do. In a nil group it returns "".
func (g *Group) OnDevice(d torch.Device) (by, why string, err error) {
	if g == nil {
		return "", "", nil
	}
	library := ""
	wanted := os.Getenv(backendVariable)
	switch {
	case !slices.Contains([]string{"", "gloo", "nccl"}, wanted):
		return "", "", fault.New(fault.Usage, connecting, backendVariable, "%q is neither gloo nor nccl", wanted)
	case wanted == "gloo":
		why = backendVariable + " is gloo"
	case d == torch.CPU:
		why = "computes on the CPU"
	default:
		if library = findLibrary(); library == "" {
			why = "has no " + deviceLibrary + " beside its program (scripts/build_nccl.sh, " + libraryVariable + ")"
		}
	}
	return g.onDevice(library, int(d)-1, why, wanted == "nccl")
}

// onDevice is OnDevice with a library. Why tells the others that this rank does not take part.
func (g *Group) onDevice(library string, index int, why string, must bool) (by, reason string, err error) {
	reason, err = g.unable(why)
	if err == nil && reason == "" {
		result := make(chan error, 1)
		if !g.data.do(g.opt.join, g.ended, func() { result <- g.h.connectDevices(library, index, g.opt.join) }) {
			return "", "", g.broken(fault.New(fault.Temporary, connecting, g.env.String(),
				"the ranks' GPUs were not connected in %v", g.opt.join).
				WithHint("set NCCL_DEBUG=INFO to see why, or %s=gloo", backendVariable))
		}
		why = ""
		if failed := <-result; failed != nil {
			why = failed.Error()
		}
		reason, err = g.unable(why)
	}
	switch {
	case err != nil:
		return "", "", err
	case reason == "":
		g.devices = true
		return "nccl", "", nil
	case must:
		return "", "", fault.New(fault.Unavailable, connecting, g.env.String(), "%s", reason).
			WithHint("give each rank a GPU of its own and build %s with scripts/build_nccl.sh, or unset %s",
				deviceLibrary, backendVariable)
	}
	g.data.do(g.opt.join, g.ended, g.h.leaveDevices)
	return "gloo", reason, nil
}

// unable returns why the first rank that cannot exchange by its GPU cannot, "" if all can.
func (g *Group) unable(why string) (string, error) {
	all, err := g.Texts("ways of exchange", why)
	for rank, text := range all {
		if text != "" && err == nil {
			return fmt.Sprintf("rank %d: %s", rank, text), nil
		}
	}
	return "", err
}

// byDevice reports whether an exchange of a size, which all ranks know, goes between GPUs.
func (g *Group) byDevice(bytes int) bool { return g.devices && bytes >= deviceBytes }

// findLibrary returns the path of the library: the one that is named, or the one beside the program, in ../lib, or
// beside the binding. It returns "" if there is none.
func findLibrary() string {
	if named := os.Getenv(libraryVariable); named != "" {
		return named
	}
	var dirs []string
	if program, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Dir(program), filepath.Join(filepath.Dir(program), "..", "lib"))
	}
	if binding := torch.BindingFile(); binding != "" {
		dirs = append(dirs, filepath.Dir(binding))
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, deviceLibrary)
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			return path
		}
	}
	return ""
}
