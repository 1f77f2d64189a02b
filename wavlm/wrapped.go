package wavlm

import (
	"regexp"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
)

// inner finds the first of an encoder's own keys in a key, in the form of transformers.
var inner = regexp.MustCompile(
	`(?:^|\.)(encoder\.layers\.0\.|feature_projection\.|feature_extractor\.conv_layers\.0\.)`)

// wrappedBy returns what stands before the keys of an encoder in a checkpoint, such as "module.", if
// it is neither nothing nor the family's name.
func wrappedBy(keys []string, family Family) string {
	for _, key := range keys {
		if at := inner.FindStringSubmatchIndex(key); at != nil {
			return strings.TrimSuffix(key[:at[2]], family.prefix())
		}
	}
	return ""
}

// wrappedError returns the error for keys that begin with what a wrapper around the model put there.
func wrappedError(where, before string) error {
	first, _, _ := strings.Cut(before, ".")
	who, save := "a class that holds the model as "+first, "model."+first
	switch first {
	case "module":
		who, save = "DataParallel, DistributedDataParallel or DeepSpeed around the model", "model.module"
	case "_orig_mod":
		who, save = "torch.compile", "model._orig_mod"
	}
	return fault.New(fault.BadData, hfmodel.Loading, where,
		"the names of the weights begin with %q, which comes from %s", before, who).
		WithHint("save the inner model in Python: %s.save_pretrained(DIR); or take the prefix off: "+
			"{k.removeprefix(%q): v for k, v in state_dict.items()}", save, before)
}
