package ckpt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// folder makes a temporary folder for an example.
func folder() (string, func()) {
	dir, err := os.MkdirTemp("", "ckpt")
	if err != nil {
		panic(err)
	}
	return dir, func() { os.RemoveAll(dir) }
}

func Example() {
	dir, remove := folder()
	defer remove()
	path := filepath.Join(dir, "model.safetensors")
	err := ckpt.Write(path, []ckpt.Tensor{
		ckpt.NewTensor("layer.weight", []int{2, 2}, []float32{1, 2, 3, 4}),
		ckpt.NewTensor("steps", nil, []int64{7}),
	}, map[string]string{"format": "pt"})
	if err != nil {
		fmt.Println(err)
		return
	}

	f, err := ckpt.OpenModel(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	for t := range f.Tensors() {
		fmt.Println(t.Name, t.DType, t.Shape)
	}
	weight, err := f.Float32("layer.weight")
	fmt.Println(weight, err)
	// Output:
	// steps I64 []
	// layer.weight F32 [2 2]
	// [1 2 3 4] <nil>
}

// A file by torch.save, whose pickle is read but never run.
func ExampleOpenTorch() {
	f, err := ckpt.OpenTorch("../../testdata/golden/containers/bin/ok_handmade.bin")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	values, err := f.Float32("a")
	fmt.Println(f.Names(), values, err)

	_, err = ckpt.OpenTorch("../../testdata/golden/containers/bin/bad_global_os_system.bin")
	fmt.Println(strings.NewReplacer(": ", ":\n", "; ", ";\n").Replace(err.Error()))
	// Output: [a] [0 1 2 3] <nil>
	// read PyTorch file:
	// ../../testdata/golden/containers/bin/bad_global_os_system.bin:
	// data.pkl at byte 2:
	// needs os.system, which is neither a tensor nor a plain setting;
	// do not open it with another program either;
	// get the weights as safetensors from where they were published
}
