package peft

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

const goldens = "../testdata/golden"

func TestConfigsOfOtherMethodsAreWrittenAsPEFTDoes(t *testing.T) {
	class := regexp.MustCompile(`"auto_mapping": \{[^}]*\}`)
	for _, name := range []string{"ia3", "vera", "vera_bias", "norms", "bitfit", "lora_bias_all"} {
		dir := filepath.Join("testdata", "methods", name)
		written, err := os.ReadFile(filepath.Join(dir, ConfigFile))
		require.NoError(t, err)
		cfg, err := readConfigFile(dir)
		require.NoError(t, err)
		got, err := cfg.json()
		require.NoError(t, err)
		assert.Equal(t, class.ReplaceAllString(string(written), `"auto_mapping": null`), string(got), name)
	}
}

// What is written for a config that PEFT wrote is what PEFT wrote, byte for byte, but for the class
// of the model, which this package does not know, and for a single layers_pattern, which is a list
// here.
func TestConfigsOfPEFTAreWrittenAsPEFTDoes(t *testing.T) {
	class := regexp.MustCompile(`"auto_mapping": \{[^}]*\}`)
	n := 0
	for _, name := range []string{"lora_qkv", "rslora_qv", "lora_pattern", "lora_layers", "lora_all_linear_excl",
		"dora_attn", "lora_bias_mts", "lora_bias_B", "lora_conv"} {
		for _, variant := range []string{"base", "large"} {
			dir := filepath.Join(goldens, variant, "peft", name)
			written, err := os.ReadFile(filepath.Join(dir, ConfigFile))
			if os.IsNotExist(err) {
				continue
			}
			n++
			require.NoError(t, err)
			cfg, err := readConfigFile(dir)
			require.NoError(t, err, dir)
			got, err := cfg.json()
			require.NoError(t, err)
			want := class.ReplaceAllString(string(written), `"auto_mapping": null`)
			want = strings.ReplaceAll(want, `"layers_pattern": "layers"`, "\"layers_pattern\": [\n    \"layers\"\n  ]")
			assert.Equal(t, want, string(got), dir)

			again, err := parseConfig(got)
			require.NoError(t, err)
			assert.Equal(t, cfg, again)
		}
	}
	assert.Equal(t, 12, n)
}

func TestConfigSurvivesWritingAndReading(t *testing.T) {
	for _, cfg := range []Config{
		{Method: &LoRA{R: 1, Alpha: 1, Init: InitTrue}, TargetModules: Targets("x")},
		{Method: &LoRA{R: 3, Alpha: 16 * math.Sqrt2, Dropout: .1, RSLoRA: true,
			RankPattern: []Entry{{"z", 3}, {"a<b", 2}, {"m", 1}}, AlphaPattern: []Entry{{"z", .5}, {"a", 1e-9}},
			Init: InitGaussian}, BaseModel: "a <b> & ü", TargetModules: Targets("a", "b"),
			ExcludeModules: Targets("c", "d"), LayersToTransform: []int{2, 0}, LayersPattern: []string{"z", "a"}},
		{Method: &LoRA{R: 1, Alpha: 1e9, Dropout: 1e-7, Init: InitTrue}, TargetModules: Modules{Pattern: `(?P<x>a)|b`},
			ExcludeModules: Modules{Pattern: "c"}},
	} {
		data, err := cfg.json()
		require.NoError(t, err)
		got, err := parseConfig(data)
		require.NoError(t, err, "%s", data)
		assert.Equal(t, cfg, got)
		assert.NotContains(t, string(data), `\u00`, "escaped for no reason")
	}
}

func TestOldFilesHaveFewKeys(t *testing.T) {
	cfg, err := parseConfig([]byte(`{"peft_type": "LORA", "target_modules": ["q"], "rank_pattern": null, ` +
		`"modules_to_save": null}`))
	require.NoError(t, err)
	assert.Equal(t, Config{Method: &LoRA{R: 8, Alpha: 8, Init: InitTrue}, TargetModules: Targets("q")}, cfg)
}

// config is a good adapter_config.json with other values for some keys.
func config(pairs ...string) string {
	fields := map[string]json.RawMessage{"peft_type": json.RawMessage(`"LORA"`), "r": json.RawMessage("4"),
		"lora_alpha": json.RawMessage("8"), "target_modules": json.RawMessage(`["up"]`)}
	for i := 0; i < len(pairs); i += 2 {
		if fields[pairs[i]] = json.RawMessage(pairs[i+1]); pairs[i+1] == "" {
			delete(fields, pairs[i])
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestOptionsThatAreAccepted(t *testing.T) {
	for _, c := range []struct {
		key, value string
		want       func(c *Config) any
		equal      any
	}{
		{"lora_alpha", "22.627416997969522", func(c *Config) any { return c.Method.(*LoRA).Alpha }, 22.627416997969522},
		{"target_modules", `"all-linear"`, func(c *Config) any { return c.TargetModules },
			Modules{Pattern: "all-linear"}},
		{"target_modules", `".*up"`, func(c *Config) any { return c.TargetModules }, Modules{Pattern: ".*up"}},
		{"exclude_modules", `["a", "b"]`, func(c *Config) any { return c.ExcludeModules }, Targets("a", "b")},
		{"exclude_modules", `"a.*"`, func(c *Config) any { return c.ExcludeModules }, Modules{Pattern: "a.*"}},
		{"layers_to_transform", "3", func(c *Config) any { return c.LayersToTransform }, []int{3}},
		{"layers_to_transform", "[3, 1]", func(c *Config) any { return c.LayersToTransform }, []int{3, 1}},
		{"layers_pattern", `""`, func(c *Config) any { return len(c.LayersPattern) }, 0},
		{"rank_pattern", `{"z": 1, "a": 2, "m": 3}`, func(c *Config) any { return c.Method.(*LoRA).RankPattern },
			[]Entry{{"z", 1}, {"a", 2}, {"m", 3}}},
		{"alpha_pattern", `{"z": 1.5}`, func(c *Config) any { return c.Method.(*LoRA).AlphaPattern },
			[]Entry{{"z", 1.5}}},
		{"init_lora_weights", "false", func(c *Config) any { return c.Method.(*LoRA).Init }, InitTrue},
		{"init_lora_weights", `"gaussian"`, func(c *Config) any { return c.Method.(*LoRA).Init }, InitGaussian},
		{"init_lora_weights", `"orthogonal"`, func(c *Config) any { return c.Method.(*LoRA).Init }, InitTrue},
		{"init_lora_weights", `"eva"`, func(c *Config) any { return c.Method.(*LoRA).Init }, InitTrue},
		{"eva_config", `{"rho": 2.0}`, nil, nil},
		{"fan_in_fan_out", "true", nil, nil},
		{"runtime_config", `{"ephemeral_gpu_offload": true}`, nil, nil},
		{"auto_mapping", `{"base_model_class": "X"}`, nil, nil},
		{"task_type", `"FEATURE_EXTRACTION"`, nil, nil},
		{"inference_mode", "false", nil, nil},
		{"an_option_of_next_year", "null", nil, nil},
		{"an_option_of_next_year", "{ }", nil, nil},
		{"an_option_of_next_year", "[\n]", nil, nil},
		{"an_option_of_next_year", "0.0", nil, nil},
		{"an_option_of_next_year", `""`, nil, nil},
		{"modules_to_save", "[]", nil, nil},
		{"use_dora", "false", nil, nil},
		{"use_rslora", "null", func(c *Config) any { return c.Method.(*LoRA).RSLoRA }, false},
		{"use_dora", "true", func(c *Config) any { return c.Method.(*LoRA).DoRA }, true},
		{"lora_bias", "true", func(c *Config) any { return c.Method.(*LoRA).BiasB }, true},
		{"bias", `"all"`, func(c *Config) any { return c.Bias }, BiasAll},
		{"bias", `"lora_only"`, func(c *Config) any { return c.Bias }, BiasOnly},
		{"modules_to_save", `["head"]`, func(c *Config) any { return c.ModulesToSave }, []string{"head"}},
		{"init_lora_weights", `"pissa"`, func(c *Config) any { return c.Method.(*LoRA).Init }, InitPiSSA},
		{"init_lora_weights", `"olora"`, func(c *Config) any { return c.Method.(*LoRA).Init }, InitOLoRA},
	} {
		cfg, err := parseConfig([]byte(config(c.key, c.value)))
		if assert.NoError(t, err, "%s: %s", c.key, c.value) && c.want != nil {
			assert.Equal(t, c.equal, c.want(&cfg), "%s: %s", c.key, c.value)
		}
	}
}

func TestOptionsThatAreRefusedByName(t *testing.T) {
	for _, c := range [][2]string{
		{"peft_type", ""}, {"peft_type", `"LOHA"`}, {"peft_type", `"lora"`}, {"peft_type", "null"},
		{"peft_type", `["LORA"]`},
		{"r", "0"}, {"r", "-4"}, {"r", "4.5"}, {"r", "null"}, {"r", `"4"`}, {"r", "1e30"}, {"r", "2000000"},
		{"lora_alpha", "0"}, {"lora_alpha", "-1"}, {"lora_alpha", "null"}, {"lora_alpha", `"8"`},
		{"lora_alpha", "1e300"},
		{"lora_dropout", "1"}, {"lora_dropout", "-0.1"}, {"lora_dropout", "null"},
		{"use_rslora", "1"}, {"use_rslora", `"yes"`},
		{"target_modules", ""}, {"target_modules", "null"}, {"target_modules", "[]"}, {"target_modules", `""`},
		{"target_modules", `["up", null]`}, {"target_modules", `["up", ""]`}, {"target_modules", "7"},
		{"target_modules", `{"up": 1}`},
		{"exclude_modules", "true"},
		{"layers_to_transform", `"1"`}, {"layers_to_transform", "[1, null]"}, {"layers_to_transform", "[1.5]"},
		{"layers_to_transform", "true"},
		{"layers_pattern", `"layers"`}, {"layers_pattern", "[1]"}, {"layers_pattern", "[null]"},
		{"rank_pattern", `{"up": 0}`}, {"rank_pattern", `{"up": 1.5}`}, {"rank_pattern", `{"up": null}`},
		{"rank_pattern", "[1]"},
		{"rank_pattern", `{"up": 1, "up": 2}`}, {"rank_pattern", `{"up": -2}`},
		{"alpha_pattern", `{"up": 0}`}, {"alpha_pattern", `{"up": "8"}`}, {"alpha_pattern", "7"},
		{"bias", `"vera_only"`}, {"bias", "null"},
		{"init_lora_weights", `"pissa_niter_16"`},
		{"init_lora_weights", `"corda"`}, {"init_lora_weights", `"loftq"`}, {"init_lora_weights", `"lora_ga"`},
		{"init_lora_weights", "null"},
		{"modules_to_save", `[""]`}, {"use_dora", "1"}, {"lora_bias", `"true"`},
		{"alora_invocation_tokens", "[1]"}, {"arrow_config", `{"top_k": 1}`}, {"velora_config", `{"num_groups": 4}`},
		{"monteclora_config", `{"a": 1}`}, {"use_bdlora", "true"}, {"kasa_config", `{"beta": 1}`},
		{"use_qalora", "true"},
		{"layer_replication", "[[0, 2]]"}, {"target_parameters", `["w"]`}, {"trainable_token_indices", "[1]"},
		{"megatron_config", `{"a": 1}`}, {"ensure_weight_tying", "true"}, {"an_option_of_next_year", "true"},
		{"Use_dora", "true"},
	} {
		dir := folder(t, config(c[0], c[1]))
		_, err := Load(dir)
		isFault(t, err, fault.BadData, readConfig, filepath.Join(dir, ConfigFile), c[0])
	}
	for _, c := range []string{
		config("target_modules", `"up.*"`, "layers_to_transform", "[1]"),
		config("target_modules", `"up.*"`, "layers_to_transform", "[]"),
		config("target_modules", `"all-linear"`, "layers_to_transform", "1"),
		config("target_modules", `"up.*"`, "layers_to_transform", "null", "layers_pattern", `["layers"]`),
	} {
		_, err := parseConfig([]byte(c))
		isFault(t, err, fault.BadData, "layers_", "target_modules")
	}
}

func TestOptionsThatDoNotGoTogetherAreRefused(t *testing.T) {
	for _, c := range []string{
		config("use_dora", "true", "lora_bias", "true"), config("lora_bias", "true", "init_lora_weights", `"gaussian"`),
		config("use_dora", "true", "init_lora_weights", `"pissa"`),
	} {
		_, err := parseConfig([]byte(c))
		isFault(t, err, fault.BadData, "does not go with")
	}
}

func TestFilesThatAreNoObjectAreRefused(t *testing.T) {
	for _, text := range []string{"", "[]", "null", `"LORA"`, "{", `{"peft_type": "LORA"`, `{"peft_type": "LORA"} {}`,
		`{"peft_type": "LORA", "peft_type": "LORA"}`,
		"{\"peft_type\": \"LORA\", \"target_modules\": [\"\xff\"]}", "\ufeff{}", `{"peft_type": "LORA",}`} {
		dir := folder(t, text)
		_, err := readConfigFile(dir)
		isFault(t, err, fault.BadData, readConfig, filepath.Join(dir, ConfigFile)+": ")
	}
	_, err := readConfigFile(t.TempDir())
	isFault(t, err, fault.Missing, ConfigFile)
	_, err = parseConfig([]byte(`{"peft_type": "LORA", "x": "` + strings.Repeat("x", maxConfig) + `"}`))
	isFault(t, err, fault.BadData, "longer")
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(config()))
	f.Add([]byte(config("rank_pattern", `{"a.*": 2, "b": 3}`, "layers_to_transform", "[1]", "layers_pattern", `"x"`)))
	f.Add([]byte(config("target_modules", `"a|b"`, "exclude_modules", `["c"]`, "lora_dropout", "0.5",
		"init_lora_weights", `"gaussian"`)))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := parseConfig(data)
		if err != nil {
			isFault(t, err, fault.BadData)
			return
		}
		written, err := cfg.json()
		require.NoError(t, err)
		again, err := parseConfig(written)
		require.NoError(t, err, "%s", written)
		twice, err := again.json()
		require.NoError(t, err)
		assert.Equal(t, string(written), string(twice))
		if m, err := newMatcher(&cfg); err == nil {
			m.targets("encoder.layers.1.attention.q_proj")
		}
	})
}
