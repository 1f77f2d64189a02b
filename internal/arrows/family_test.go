package arrows

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// familyNames are parts of the names of parameters and layers, by the package of the family that they belong to.
var familyNames = map[string][]string{
	"wavlm": {
		"feature_extractor.", "conv_layers", "feature_projection", "masked_spec_embed", "pos_conv_embed",
		"encoder.layers",
		"q_proj", "k_proj", "v_proj", "out_proj", "gru_rel_pos", "rel_attn_embed", "intermediate_dense", "output_dense",
		"final_layer_norm",
	},
	"whisper": {
		"embed_positions", "self_attn", "q_proj", "k_proj", "v_proj", "out_proj", "final_layer_norm", "fc1", "fc2",
	},
}

// TestFamilyNamesStayInTheirPackage: names of parameters occur in the packages of model families alone. Tests and
// examples are exempt.
func TestFamilyNamesStayInTheirPackage(t *testing.T) {
	root, found := filepath.Join("..", ".."), map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		require.NoError(t, err)
		if d.IsDir() && (path == "third_party" || path == "examples" || path == "testdata" || path == ".git") {
			return filepath.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		require.NoError(t, err)
		for family, names := range familyNames {
			for _, name := range names {
				if !strings.Contains(string(text), name) {
					continue
				}
				home := filepath.ToSlash(filepath.Dir(path))
				found[family+name] = found[family+name] || home == family
				assert.Contains(t, familyNames, home, "%s names %s; ask the encoder for the name instead", path, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	for family, names := range familyNames {
		for _, name := range names {
			assert.True(t, found[family+name], "%s: nothing is called %s, so this test shows nothing", family, name)
		}
	}
}
