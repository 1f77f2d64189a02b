package peft

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// parse reads a config in which the fields given as JSON stand.
func parse(t *testing.T, fields map[string]json.RawMessage) (Config, error) {
	t.Helper()
	fields["peft_type"] = json.RawMessage(`"LORA"`)
	data, err := json.Marshal(fields)
	require.NoError(t, err)
	return parseConfig(data)
}

func TestTargetsAreThoseOfPEFT(t *testing.T) {
	data, err := os.ReadFile("testdata/match.json")
	require.NoError(t, err)
	var golden struct {
		Paths   []string
		Targets []struct {
			Config   map[string]json.RawMessage
			Targeted []string
		}
		Patterns []struct {
			Keys []string
			Key  map[string]*string
		}
	}
	require.NoError(t, json.Unmarshal(data, &golden))
	require.NotEmpty(t, golden.Targets)
	require.NotEmpty(t, golden.Patterns)

	for _, c := range golden.Targets {
		description, _ := json.Marshal(c.Config)
		cfg, err := parse(t, c.Config)
		require.NoError(t, err, "%s", description)
		m, err := newMatcher(&cfg)
		require.NoError(t, err, "%s", description)
		var targeted []string
		for _, path := range golden.Paths {
			if m.targets(path) {
				targeted = append(targeted, path)
			}
		}
		assert.Equal(t, c.Targeted, targeted, "%s", description)
	}

	for _, c := range golden.Patterns {
		cfg := Config{Method: &LoRA{R: 100, Alpha: 100}, TargetModules: Targets("x")}
		for i, key := range c.Keys {
			cfg.Method.(*LoRA).RankPattern = append(cfg.Method.(*LoRA).RankPattern, Entry{key, float64(i + 1)})
		}
		cfg.Method.(*LoRA).AlphaPattern = cfg.Method.(*LoRA).RankPattern
		m, err := newMatcher(&cfg)
		require.NoError(t, err)
		for path, key := range c.Key {
			want := 100
			for i, k := range c.Keys {
				if key != nil && k == *key {
					want = i + 1
				}
			}
			assert.EqualValues(t, want, m.lookup("rank_pattern", path, 100), "%q %s", c.Keys, path)
			assert.EqualValues(t, want, m.lookup("alpha_pattern", path, 100), "%q %s", c.Keys, path)
		}
	}
}

func TestAllLinearTakesEveryLayerButTheExcluded(t *testing.T) {
	for _, word := range []string{"all-linear", "All-Linear"} {
		cfg := Config{Method: &LoRA{R: 2, Alpha: 2}, TargetModules: Targets(word), ExcludeModules: Targets("down")}
		_, a := base(t).adapted(t, cfg)
		require.Len(t, a.Layers(), depth)
		for i, l := range a.Layers() {
			assert.Equal(t, []string{"layers.0.up", "layers.1.up", "layers.2.up"}[i], l.Path)
		}
		assert.Equal(t, depth*(2*width+2*inner), a.Store().Numel())
		assert.Contains(t, a.String(), "layers.1.up r=2 scale=1 parameters=32\n")
	}
}

func TestRanksAndAlphasArePatternsOnTheirOwn(t *testing.T) {
	cfg := Config{Method: &LoRA{R: 2, Alpha: 8, RSLoRA: true, RankPattern: []Entry{{`layers\.1\.up`, 4}, {"up", 1}},
		AlphaPattern: []Entry{{`layers\.[01]\.up`, 3}}}, TargetModules: Targets("up", "down")}
	_, a := base(t).adapted(t, cfg)
	for i, want := range []struct {
		rank  int
		scale float64
	}{{1, 3}, {2, 8 / 1.4142135623730951}, {4, 3. / 2}, {2, 8 / 1.4142135623730951}, {1, 8},
		{2, 8 / 1.4142135623730951}} {
		l := a.Layers()[i]
		assert.InDelta(t, want.scale, pair(l).scale, 1e-12, l.Path)
		assert.Equal(t, []int{want.rank, dense(l).In()}, pair(l).a.Shape())
		assert.Equal(t, []int{dense(l).Out(), want.rank}, pair(l).b.Shape())
	}
}

func TestExpressionsThatGoReadsOtherwiseAreRefused(t *testing.T) {
	for _, expr := range []string{`(?=.*q)q_proj`, `(q)\1`, `q_proj)|(.*`, `[`, `x{,3}`, `(?<!k)_proj`, `q_proj\Z`} {
		for name, cfg := range map[string]Config{
			"target_modules":  {TargetModules: Modules{Pattern: expr}},
			"exclude_modules": {TargetModules: Targets("x"), ExcludeModules: Modules{Pattern: expr}},
			"layers_pattern": {TargetModules: Targets("x"), LayersToTransform: []int{1},
				LayersPattern: []string{expr}},
			"rank_pattern": {Method: &LoRA{R: 1, Alpha: 1, RankPattern: []Entry{{expr, 1}}},
				TargetModules: Targets("x")},
			"modules_to_save": {TargetModules: Targets("x"), ModulesToSave: []string{expr}},
			"alpha_pattern": {Method: &LoRA{R: 1, Alpha: 1, AlphaPattern: []Entry{{expr, 1}}},
				TargetModules: Targets("x")},
		} {
			if cfg.Method == nil {
				cfg.Method = &LoRA{R: 1, Alpha: 1}
			}
			_, err := New(cfg)
			isFault(t, err, fault.BadData, name)
		}
	}
}

func TestWarningsNameWhatFitsNothing(t *testing.T) {
	cfg := Config{Method: &LoRA{R: 2, Alpha: 2, RankPattern: []Entry{{"up", 1}, {`layers\.1\.up`, 2}, {"down", 3}},
		AlphaPattern: []Entry{{"sideways", 3}}}, TargetModules: Targets("up", "layers.0.up", "upp"),
		ExcludeModules: Targets("upp", "2.up")}
	_, a := base(t).adapted(t, cfg)
	require.Len(t, a.Layers(), 2)
	assert.Equal(t, []string{
		`target_modules: "upp" fits no layer`,
		`exclude_modules: "upp" fits no layer`,
		`rank_pattern: "down" fits no layer`,
		`alpha_pattern: "sideways" fits no layer`,
	}, a.Warnings())

	cfg = Config{Method: &LoRA{R: 2, Alpha: 2}, TargetModules: Targets("up"),
		ExcludeModules: Modules{Pattern: "encoder.*"}}
	_, a = base(t).adapted(t, cfg)
	assert.Equal(t, []string{`exclude_modules: "encoder.*" fits no layer`}, a.Warnings())
}

func TestAnAdapterThatFitsNothingIsAnError(t *testing.T) {
	for _, cfg := range []Config{
		{TargetModules: Targets("q_proj")},
		{TargetModules: Targets("up"), ExcludeModules: Targets("up")},
		{TargetModules: Targets("up"), LayersToTransform: []int{7}},
	} {
		cfg.Method = &LoRA{R: 2, Alpha: 2}
		a, err := New(cfg)
		require.NoError(t, err)
		_, err = base(t).view(t, a)
		require.NoError(t, err)
		isFault(t, a.Check(), fault.BadData, "target_modules", "fits no layer")
		isFault(t, a.Save(t.TempDir()+"/a"), fault.BadData, "fits no layer")
	}
}
