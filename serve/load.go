package serve

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

const (
	reading   = "read configuration"
	maxConfig = 1 << 20 // bytes
)

// Load reads a configuration and checks it. What the file leaves out has the values of [Default]; unknown keys are
// errors. Relative paths are those of the file's folder.
// insecure sets Insecure.
func Load(path string, insecure bool) (*Config, error) {
	data, err := inputfile.Read(reading, path, maxConfig)
	if err != nil {
		return nil, err
	}
	c := Default()
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.New(fault.Usage, reading, path, "%s", strings.Join(strings.Fields(err.Error()), " "))
	}
	c.Insecure = c.Insecure || insecure
	c.complete(filepath.Dir(path))
	if err := c.check(); err != nil {
		err.Path = path + ": " + err.Path
		return nil, err
	}
	return c, nil
}

// complete makes paths absolute and fills in the features of models.
func (c *Config) complete(dir string) {
	absolute := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
		if abs, err := filepath.Abs(*path); err == nil && *path != "" {
			*path = abs
		}
	}
	absolute(&c.TLS.Cert)
	absolute(&c.TLS.Key)
	absolute(&c.Tokens)
	for name, m := range c.Models {
		absolute(&m.Path)
		absolute(&m.Run)
		for alias, a := range m.Adapters {
			absolute(&a.Path)
			m.Adapters[alias] = a
		}
		if m.Run == "" {
			m.Features = m.Features.complete()
		}
		c.Models[name] = m
	}
}

// complete fills in the settings that a file leaves out.
func (f *Features) complete() *Features {
	d := defaultFeatures()
	if f == nil {
		return d
	}
	own := *f
	fill(&own.WindowSeconds, d.WindowSeconds)
	fill(&own.StrideSeconds, d.StrideSeconds)
	fill(&own.ChunkSeconds, d.ChunkSeconds)
	fill(&own.Extraction, d.Extraction)
	fill(&own.Pooling, d.Pooling)
	fill(&own.Normalise, d.Normalise)
	return &own
}

// fill sets a zero value.
func fill[T comparable](value *T, to T) {
	var zero T
	if *value == zero {
		*value = to
	}
}

// YAML returns the configuration as a file that Load reads.
func (c *Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(c), e.Close()); err != nil {
		return nil, fault.Wrap(fault.Internal, "write configuration", "", err)
	}
	return out.Bytes(), nil
}
