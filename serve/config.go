package serve

import (
	"time"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

// Config is the configuration of a server, one YAML file. [Load] reads it. The keys are the names in the tags.
type Config struct {
	Listen   string           `yaml:"listen"`             // address of HTTP
	Admin    string           `yaml:"admin"`              // address of operators; "" for none
	GRPC     string           `yaml:"grpc"`               // address of gRPC; "" for none
	TLS      TLS              `yaml:"tls"`                // of HTTP and gRPC
	Tokens   string           `yaml:"tokens"`             // file with one bearer token a line; "" for none
	Insecure bool             `yaml:"insecure,omitempty"` // allows other addresses than loopback without TLS and tokens
	Models   map[string]Model `yaml:"models"`             // by the names that clients use
	Batching Batching         `yaml:"batching"`
	Limits   Limits           `yaml:"limits"`
	Workers  int              `yaml:"workers"` // passes at the same time
	Threads  int              `yaml:"threads"` // of each; 0: those of the machine or its cgroup
	Device   string           `yaml:"device"`  // auto, cpu, cuda or cuda:N
	Log      string           `yaml:"log"`     // least level: debug, info, warn or error
}

// TLS names the files of a certificate chain and its key, in PEM.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Model is one model of a server: the features of a speech model, or the predictions of a run.
type Model struct {
	Path    string `yaml:"model,omitempty"`   // folder of the speech model; with Run, where it is now
	Run     string `yaml:"run,omitempty"`     // folder of a finished run whose readout predicts
	SHA256  string `yaml:"sha256,omitempty"`  // of the run (see Digest), or of the speech model if given
	Subject string `yaml:"subject,omitempty"` // of the run, if it has several
	// Statistics that standardise features of a run: clip (the default), the clip's own, or training, those of the
	// training stories.
	Statistics string             `yaml:"statistics,omitempty"`
	Adapters   map[string]Adapter `yaml:"adapters,omitempty"` // of a speech model, one of which a request may name
	Features   *Features          `yaml:"features,omitempty"` // of a speech model
}

// Adapter is a folder in the format of Hugging Face PEFT.
type Adapter struct {
	Path   string `yaml:"path"`
	SHA256 string `yaml:"sha256"` // see Digest
}

// Features say how audio becomes one vector per window, as in an experiment file.
type Features struct {
	Layers        []int                 `yaml:"layers"` // hidden states; none: the last
	WindowSeconds float64               `yaml:"window_seconds"`
	StrideSeconds float64               `yaml:"stride_seconds"`
	Extraction    experiment.Extraction `yaml:"extraction"`
	ChunkSeconds  float64               `yaml:"chunk_seconds"`
	Pooling       experiment.Pooling    `yaml:"pooling"`
	Normalise     experiment.Normalise  `yaml:"normalise"`
}

// Batching says how windows of several requests are computed together.
type Batching struct {
	Windows int  `yaml:"windows"` // in a pass, at most
	Exact   bool `yaml:"exact"`   // answers are bit-identical whatever else is computed, and cost more
}

// Limits bound what requests may take.
type Limits struct {
	Requests int           `yaml:"requests"` // in memory at the same time; others are refused
	Bytes    int64         `yaml:"bytes"`    // of a body
	Memory   int64         `yaml:"memory"`   // bytes of all bodies, audio and answers at the same time
	Seconds  float64       `yaml:"seconds"`  // of decoded audio
	Channels int           `yaml:"channels"` // of audio
	Deadline time.Duration `yaml:"deadline"` // from a request's arrival to its answer
	Upload   time.Duration `yaml:"upload"`   // how long a body may take
	Drain    time.Duration `yaml:"drain"`    // how long accepted requests may take at the end
	Streams  Streams       `yaml:"streams"`
	Stuck    time.Duration `yaml:"stuck"` // a pass that takes longer makes the server not live
}

// Streams bound recordings that are predicted while they come in.
type Streams struct {
	Number  int           `yaml:"number"`  // at the same time; others are refused, and 0 refuses all
	Seconds float64       `yaml:"seconds"` // of audio of each
	Idle    time.Duration `yaml:"idle"`    // how long one may bring no audio, or take no answer
}

// Default returns a configuration without models that listens on loopback addresses.
func Default() *Config {
	return &Config{
		Listen:   "127.0.0.1:8080",
		Admin:    "127.0.0.1:8081",
		Batching: Batching{Windows: experiment.Default().Train.UnitWindows},
		Limits: Limits{Requests: 64, Bytes: 64 << 20, Memory: 512 << 20, Seconds: 600, Channels: 8,
			Deadline: 30 * time.Second,
			Upload:   time.Minute, Drain: 30 * time.Second, Stuck: 2 * time.Minute,
			Streams: Streams{Number: 16, Seconds: 7200, Idle: 30 * time.Second}},
		Workers: 1, Device: "auto", Log: "info",
	}
}

// defaultFeatures are the settings of a new experiment file.
func defaultFeatures() *Features {
	m := experiment.Default().Model
	return &Features{WindowSeconds: m.WindowSeconds, StrideSeconds: m.StrideSeconds, Extraction: m.Extraction,
		ChunkSeconds: m.ChunkSeconds, Pooling: m.Pooling, Normalise: m.Normalise}
}
