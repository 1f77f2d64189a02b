package ckpt

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/internal/pickle"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// The globals that a file of weights needs, next to the storages in storageTypes.
const (
	orderedDict      pickle.Global = "collections.OrderedDict"
	rebuildTensor    pickle.Global = "torch._utils._rebuild_tensor_v2"
	rebuildParameter pickle.Global = "torch._utils._rebuild_parameter"
)

// unpickle interprets a pickle that torch.save made of tensors and plain settings. It makes nothing but inert
// values and, through tensors, views of the file.
func unpickle(text string, tensors *tensorMaker) (any, error) {
	return pickle.Read(pickle.NewText(strings.NewReader(text), int64(len(text))), &pickle.Dialect{
		Name: "data.pkl", Least: 2, Most: 2, Opcodes: pickle.Protocol2 + pickle.Persistent,
		Global: needed, Call: tensors.call, Build: dropAttributes, Load: tensors.storage,
		Distrust: func(err error) error { return &advised{err, distrust} }, Unneeded: "no file of weights",
	})
}

// needed refuses a name that no file of weights needs.
func needed(g pickle.Global) error {
	_, storage := storageTypes[g]
	if storage || g == orderedDict || g == rebuildTensor || g == rebuildParameter {
		return nil
	}
	return &advised{fmt.Errorf("needs %s, which is neither a tensor nor a plain setting",
		quote.OneLine(quote.Short(string(g)))), distrust}
}

// call interprets the call of a global, one of three. No call runs code.
func (m *tensorMaker) call(name pickle.Global, args pickle.Tuple) (any, error) {
	switch name {
	case orderedDict:
		if len(args) > 0 {
			return nil, errors.New("an OrderedDict that does not begin empty")
		}
		return &pickle.Dict{Ordered: true}, nil
	case rebuildTensor:
		return m.tensor(args)
	case rebuildParameter:
		return m.parameter(args)
	}
	return nil, pickle.ErrNotCallable
}

// dropAttributes drops the attributes of a state dict (its _metadata). Nothing else may have attributes.
func dropAttributes(object, state any, _ *pickle.Text) (any, error) {
	if _, err := pickle.Want[*pickle.Dict](state); err != nil {
		return nil, err
	}
	d, err := pickle.Want[*pickle.Dict](object)
	if err == nil && !d.Ordered {
		err = errors.New("attributes for what has none")
	}
	return d, err
}
