package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serve.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

var hash = strings.Repeat("0123456789abcdef", 4)

func TestLoadFillsInTheDefaults(t *testing.T) {
	path := writeConfig(t, `
models:
  base:
    model: models/wavlm
    features: {layers: [9], window_seconds: 2}
    adapters:
      ada: {path: /runs/ada/adapter, sha256: `+hash+`}
  ada: {run: runs/ada, sha256: `+hash+`, subject: s1}
limits: {deadline: 5s}
`)
	c, err := Load(path, false)
	require.NoError(t, err)
	dir := filepath.Dir(path)
	assert.Equal(t, "127.0.0.1:8080", c.Listen)
	assert.Equal(t, 5*time.Second, c.Limits.Deadline)
	assert.Equal(t, int64(64<<20), c.Limits.Bytes)
	base := c.Models["base"]
	assert.Equal(t, filepath.Join(dir, "models/wavlm"), base.Path)
	assert.Equal(t, "/runs/ada/adapter", base.Adapters["ada"].Path)
	assert.Equal(t, &Features{Layers: []int{9}, WindowSeconds: 2, StrideSeconds: .25, Extraction: "windows",
		ChunkSeconds: 32,
		Pooling:      "last", Normalise: "auto"}, base.Features)
	assert.Equal(t, filepath.Join(dir, "runs/ada"), c.Models["ada"].Run)

	// What is printed is read as it was.
	text, err := c.YAML()
	require.NoError(t, err)
	again, err := Load(writeConfig(t, string(text)), false)
	require.NoError(t, err, string(text))
	assert.Equal(t, c, again)
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	model := "models: {a: {model: m}}\n"
	for text, want := range map[string]string{
		"":                                                    "models: there is none",
		"models: [":                                           "yaml: line 1",
		"modles: {}":                                          "field modles not found",
		model + "limits: {byte: 3}":                           "field byte not found",
		model + "limits: {bytes: 0}":                          "limits.bytes: the value is not possible",
		model + "limits: {seconds: .nan}":                     "limits.seconds: the value is not possible",
		model + "limits: {deadline: 3}":                       "into time.Duration",
		model + "workers: 0":                                  "workers: the value is not possible",
		model + "log: loud":                                   `log: "loud", want debug`,
		model + "listen: x":                                   `listen: "x", want HOST:PORT`,
		model + "listen: ''":                                  "neither HTTP nor gRPC",
		model + "tls: {cert: c}":                              "cert and key go together",
		"models: {a b: {model: m}}":                           "the name has other characters",
		"models: {a: {}}":                                     "names neither a model nor a run",
		"models: {a: {model: m, statistics: clip}}":           "only a run has statistics",
		"models: {a: {run: r, statistics: own}}":              `statistics are "own", want clip or training`,
		"models: {a: {run: r}}":                               "models.a: has no sha256",
		"models: {a: {run: r, sha256: x}}":                    "sha256 is not 64 hexadecimal digits",
		"models: {a: {model: m, subject: s}}":                 "only a run has subjects",
		"models: {a: {model: m, adapters: {b: {path: p}}}}":   "models.a.adapters.b: has no sha256",
		"models: {a: {model: m, adapters: {b: {sha256: p}}}}": "has no path",
		"models: {a: {run: r, features: {}, sha256: " + hash + "}}": "are those of the run",
	} {
		_, err := Load(writeConfig(t, text), false)
		require.ErrorContains(t, err, want, text)
		assert.Equal(t, fault.Usage, fault.KindOf(err), "%v", err)
	}
	_, err := Load("nowhere.yaml", false)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

// Other machines reach a server only with TLS and tokens, or where somebody insists.
func TestOnlyLoopbackWithoutProtection(t *testing.T) {
	const models = "models: {a: {model: m}}\n"
	const protected = "tls: {cert: c, key: k}\ntokens: t\n"
	for _, c := range []struct {
		text string
		want string
	}{
		{"listen: 127.0.0.1:80", ""},
		{"listen: '[::1]:80'", ""},
		{"listen: localhost:80", ""},
		{"listen: ':80'", "listen: :80 is reached from other machines"},
		{"listen: 0.0.0.0:80", "is reached from other machines"},
		{"listen: example.org:80", "is reached from other machines"},
		{"grpc: '[::]:80'", "grpc: [::]:80 is reached"},
		{"listen: 0.0.0.0:80\ntls: {cert: c, key: k}", "is reached from other machines"},
		{"listen: 0.0.0.0:80\ntokens: t", "is reached from other machines"},
		{"listen: 0.0.0.0:80\n" + protected, ""},
		{"grpc: 0.0.0.0:80\n" + protected, ""},
		{"admin: 0.0.0.0:80\n" + protected, "admin: 0.0.0.0:80 is reached from other machines, and it has neither"},
		{"listen: 0.0.0.0:80\nadmin: 0.0.0.0:81\ninsecure: true", ""},
	} {
		_, err := Load(writeConfig(t, models+c.text), false)
		if c.want == "" {
			assert.NoError(t, err, c.text)
		} else {
			assert.ErrorContains(t, err, c.want, c.text)
		}
	}
}

func TestTokensAreReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	first, second := strings.Repeat("a", 32), strings.Repeat("b", 32)
	var x tokens
	assert.True(t, x.allows(""), "without a file nobody needs a token")
	write("# old\n" + first + "\n\n")
	require.NoError(t, x.open(path))
	assert.True(t, x.allows("Bearer "+first))
	assert.True(t, x.allows("bearer "+first))
	for _, wrong := range []string{"", first, "Basic " + first, "Bearer", "Bearer " + second, "Bearer " + first + "a",
		"Bearer # old"} {
		assert.False(t, x.allows(wrong), wrong)
	}
	write("# both\n" + second + "\n" + second)
	x.looked = time.Time{} // a second later
	assert.True(t, x.allows("Bearer "+second))
	assert.False(t, x.allows("Bearer "+first))
	write("short")
	x.looked = time.Time{}
	assert.True(t, x.allows("Bearer "+second), "a file that is being written changes nothing")

	var y tokens
	assert.ErrorContains(t, y.open(path), "a token has 5 characters, want at least 16")
	write("\n")
	assert.ErrorContains(t, y.open(path), "there is no token")
	assert.Equal(t, fault.Missing, fault.KindOf(y.open(path+"x")))
}

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	put("a", "x")
	put("b/c", "y")
	// printf '%s  a\n%s  b/c\n' $(printf x | sha256sum | cut -c-64) $(printf y | sha256sum | cut -c-64) | sha256sum
	assert.Equal(t, "4fee141d00d6e8d53a68f8aefe86aa45ff1297afffa0709f5d3a3136392e731d", digestOf(t, dir))
	before := digestOf(t, dir)
	put("b/c", "z")
	assert.NotEqual(t, before, digestOf(t, dir))
	assert.ErrorContains(t, sameDigest(dir, before), "and the configuration has "+before)

	// Of a run, logs and checkpoints do not count.
	put("readout/ada.safetensors", "r")
	before = digestOf(t, dir)
	put("metrics.jsonl", "m")
	put("checkpoints/1", "m")
	put("eval/summary.json", "m")
	assert.Equal(t, before, digestOf(t, dir))
	for _, name := range []string{"readout/ada.safetensors", "calibration/ada.safetensors",
		"eval/test/ada/ceiling.npy"} {
		put(name, "s")
		assert.NotEqual(t, before, digestOf(t, dir), name)
		before = digestOf(t, dir)
	}

	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(dir, "readout", "link")))
	_, err := Digest(dir)
	assert.ErrorContains(t, err, "is no plain file")
	_, err = Digest(dir + "/nowhere")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}
