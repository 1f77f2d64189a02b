package serve

import (
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/netip"
	"regexp"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

var (
	modelName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	digest    = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

const badName = "the name has other characters than letters, digits, '.', '_' and '-', or more than 64"

// check returns what is wrong with a configuration, without opening anything that it names.
func (c *Config) check() *fault.Error {
	bad := func(key, reason string, args ...any) *fault.Error {
		return fault.New(fault.Usage, reading, key, reason, args...)
	}
	if len(c.Models) == 0 {
		return bad("models", "there is none").WithHint("name a speech model or a run")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Models)) {
		if err := c.Models[name].check(name); err != nil {
			return err
		}
	}
	l := c.Limits
	for _, x := range []struct {
		key   string
		wrong bool
	}{
		{"batching.windows", c.Batching.Windows < 1 || c.Batching.Windows > 4096},
		{"limits.requests", l.Requests < 1},
		{"limits.bytes", l.Bytes < 1 || l.Bytes > 1<<32},
		{"limits.memory", l.Memory < 1},
		{"limits.seconds", !(l.Seconds > 0) || math.IsInf(l.Seconds, 0)},
		{"limits.channels", l.Channels < 1},
		{"limits.deadline", l.Deadline <= 0},
		{"limits.upload", l.Upload <= 0},
		{"limits.drain", l.Drain < 0},
		{"limits.stuck", l.Stuck <= 0},
		{"limits.streams.number", l.Streams.Number < 0 || l.Streams.Number > 1<<20},
		{"limits.streams.seconds", !(l.Streams.Seconds > 0) || math.IsInf(l.Streams.Seconds, 0)},
		{"limits.streams.idle", l.Streams.Idle <= 0},
		{"workers", c.Workers < 1 || c.Workers > 1024},
		{"threads", c.Threads < 0 || c.Threads > 1024},
	} {
		if x.wrong {
			return bad(x.key, "the value is not possible").WithHint("leave it out for the default")
		}
	}
	if _, err := c.level(); err != nil {
		return bad("log", "%q, want debug, info, warn or error", c.Log)
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return bad("tls", "cert and key go together")
	}
	return c.checkAddresses()
}

// Level returns the least level of logs.
func (c *Config) Level() slog.Level {
	level, _ := c.level() // checked
	return level
}

// level returns the least level of logs.
func (c *Config) level() (level slog.Level, err error) {
	err = level.UnmarshalText([]byte(c.Log))
	return level, err
}

// check returns what is wrong with a model.
func (m Model) check(name string) *fault.Error {
	key := "models." + name
	bad := func(reason string, args ...any) *fault.Error {
		return fault.New(fault.Usage, reading, key, reason, args...)
	}
	switch {
	case !modelName.MatchString(name):
		return bad(badName)
	case m.Path == "" && m.Run == "":
		return bad("names neither a model nor a run")
	case m.Run != "" && (m.Features != nil || len(m.Adapters) > 0):
		return bad("features and adapters are those of the run")
	case m.Run == "" && m.Subject != "":
		return bad("only a run has subjects")
	case m.Run == "" && m.Statistics != "":
		return bad("only a run has statistics")
	case !slices.Contains([]string{"", clipStatistics, trainingStatistics}, m.Statistics):
		return bad("statistics are %q, want clip or training", m.Statistics)
	case m.SHA256 != "" && !digest.MatchString(m.SHA256):
		return bad("sha256 is not 64 hexadecimal digits in lower case")
	case m.Run != "" && m.SHA256 == "":
		return noDigest(key)
	}
	for _, alias := range slices.Sorted(maps.Keys(m.Adapters)) {
		a := m.Adapters[alias]
		key := fmt.Sprintf("%s.adapters.%s", key, alias)
		switch {
		case !modelName.MatchString(alias):
			return fault.New(fault.Usage, reading, key,
				badName)
		case a.Path == "":
			return fault.New(fault.Usage, reading, key, "has no path")
		case !digest.MatchString(a.SHA256):
			return noDigest(key)
		}
	}
	return nil
}

// noDigest is the error of a run or an adapter whose hash is not configured.
func noDigest(key string) *fault.Error {
	return fault.New(fault.Usage, reading, key,
		"has no sha256, 64 hexadecimal digits; runs and adapters load by it alone").
		WithHint("configure what Digest returns")
}

// checkAddresses refuses addresses that others reach unless TLS and tokens protect them.
func (c *Config) checkAddresses() *fault.Error {
	if c.Listen == "" && c.GRPC == "" {
		return fault.New(fault.Usage, reading, "listen", "neither HTTP nor gRPC has an address")
	}
	for _, a := range []struct{ key, address string }{{"listen", c.Listen}, {"grpc", c.GRPC}, {"admin", c.Admin}} {
		if a.address == "" {
			continue
		}
		host, _, err := net.SplitHostPort(a.address)
		if err != nil {
			return fault.New(fault.Usage, reading, a.key, "%q, want HOST:PORT", a.address)
		}
		protected := a.key != "admin" && c.TLS.Cert != "" && c.Tokens != ""
		if loopback(host) || protected || c.Insecure {
			continue
		}
		e := fault.New(fault.Usage, reading, a.key, "%s is reached from other machines, without TLS and tokens",
			a.address)
		if a.key == "admin" {
			e = fault.New(fault.Usage, reading, a.key,
				"%s is reached from other machines, and it has neither TLS nor tokens",
				a.address)
		}
		return e.WithHint("use a loopback address such as 127.0.0.1, set tls and tokens, or set insecure")
	}
	return nil
}

// loopback reports whether a host is this machine alone. Other names than localhost are not looked up.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
