package dist

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// freePort returns a port that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// together runs fn for each rank of a group, in goroutines of this process, and returns their errors.
func together(t *testing.T, world int, opt options, fn func(g *Group) error) []error {
	t.Helper()
	port, errs := freePort(t), make([]error, world)
	var all sync.WaitGroup
	for r := range world {
		all.Go(func() {
			g, err := join(t.Context(), Env{Rank: r, World: world, host: "127.0.0.1", port: port,
				launcher: "variables"}, opt)
			if err == nil {
				defer g.Close()
				err = fn(g)
			}
			errs[r] = err
		})
	}
	all.Wait()
	return errs
}

func none(t *testing.T, errs []error) {
	t.Helper()
	for r, err := range errs {
		assert.NoError(t, err, "rank %d", r)
	}
}

func TestRanksExchange(t *testing.T) {
	for _, world := range []int{2, 4} {
		none(t, together(t, world, options{}, func(g *Group) error {
			rank := g.Rank()
			assert.Equal(t, world, g.World())
			mine := make([]float32, rank) // rank 0 has none
			lengths := make([]int, world)
			for i := range mine {
				mine[i] = float32(10*rank + i)
			}
			for r := range lengths {
				lengths[r] = r
			}
			parts, err := Gather(g, "parts", mine, lengths)
			if err != nil {
				return err
			}
			for r, part := range parts {
				assert.Len(t, part, r)
				for i, x := range part {
					assert.Equal(t, float32(10*r+i), x)
				}
			}
			nothing, err := Gather(g, "nothing", []int64{}, nil)
			assert.NoError(t, err)
			assert.Len(t, nothing, world)

			counts := make([][]int, world) // from r to q: r+q elements
			var x []int64
			for r := range counts {
				for q := range world {
					counts[r] = append(counts[r], r+q)
				}
			}
			for q := range world {
				for range counts[rank][q] {
					x = append(x, int64(100*rank+q))
				}
			}
			got, err := Exchange(g, "x", x, counts)
			if err != nil {
				return err
			}
			for r, part := range got {
				assert.Len(t, part, r+rank)
				for _, v := range part {
					assert.Equal(t, int64(100*r+rank), v)
				}
			}

			sum, err := Sum(g, "sum", []float32{1, float32(rank)})
			assert.NoError(t, err)
			assert.Equal(t, []float32{float32(world), float32(world*(world-1)) / 2}, sum)

			texts, err := g.Texts("names", fmt.Sprintf("%0*d", rank, rank))
			if err != nil {
				return err
			}
			assert.Equal(t, fmt.Sprintf("%0*d", world-1, world-1), texts[world-1])
			assert.Positive(t, g.Traffic().Sent)
			return g.Barrier("end")
		}))
	}
}

// One process alone is a nil group, and keeps what it has.
func TestANilGroupExchangesNothing(t *testing.T) {
	g, err := join(t.Context(), Env{World: 1}, options{})
	require.NoError(t, err)
	assert.Nil(t, g)
	x := []float32{1, 2}
	parts, err := Gather(g, "x", x, nil)
	require.NoError(t, err)
	assert.Equal(t, [][]float32{x}, parts)
	parts, err = Exchange(g, "x", x, [][]int{{2}})
	require.NoError(t, err)
	assert.Equal(t, [][]float32{x}, parts)
	sum, err := Sum(g, "x", x)
	require.NoError(t, err)
	assert.Equal(t, x, sum)
	texts, err := g.Texts("name", "a")
	require.NoError(t, err)
	assert.Equal(t, []string{"a"}, texts)
	require.NoError(t, g.Barrier("end"))
	assert.Equal(t, 0, g.Rank())
	assert.Equal(t, 1, g.World())
	ctx := t.Context()
	assert.Equal(t, ctx, g.Context(ctx))
	g.Fail(fault.ErrClosed)
	g.Close()
	assert.Zero(t, g.Traffic())
}

func TestRanksThatDoNotDoTheSameAreTold(t *testing.T) {
	floats := func(g *Group, what string, n int) error {
		_, err := Gather(g, what, make([]float32, n), nil)
		return err
	}
	for message, odd := range map[string]func(g *Group) error{
		"gather x of 10800 bytes in other parts": func(g *Group) error { return floats(g, "x", 900) },
		"gather another name of 12000 bytes":     func(g *Group) error { return floats(g, "another name", 1000) },
		"barrier y of 0 bytes in other parts":    func(g *Group) error { return g.Barrier("y") },
		"gather x of 24000 bytes": func(g *Group) error {
			_, err := Gather(g, "x", make([]float64, 1000), nil)
			return err
		},
		"gather x of 12000 bytes in other parts": func(g *Group) error {
			_, err := Gather(g, "x", make([]float32, 1000), []int{1000, 1000, 1000})
			return err
		},
		"exchange x of 4000 bytes in other parts": func(g *Group) error {
			_, err := Exchange(g, "x", make([]float32, 1000), [][]int{{0, 0, 0}, {0, 0, 0}, {0, 0, 1000}})
			return err
		},
	} {
		for _, err := range together(t, 3, options{}, func(g *Group) error {
			if g.Rank() == 2 {
				return odd(g)
			}
			return floats(g, "x", 1000)
		}) {
			require.ErrorContains(t, err,
				"ranks do not do the same in exchange 1: ranks 0, 1: gather x of 12000 bytes; rank 2: "+message)
			assert.Equal(t, fault.Internal, fault.KindOf(err))
		}
	}
}

// A rank that leaves by an error of its own is named by the others, with the error.
func TestTheErrorOfARankIsToldByTheOthers(t *testing.T) {
	file := t.TempDir() + "/error.json"
	t.Setenv("TORCHELASTIC_ERROR_FILE", file)
	errs := together(t, 3, options{}, func(g *Group) error {
		if g.Rank() == 1 {
			err := fault.New(fault.IO, "write checkpoint", "f", "no space left")
			g.Fail(err)
			return nil
		}
		err := g.Barrier("end")
		g.Fail(err)
		return err
	})
	require.NoError(t, errs[1])
	for _, r := range []int{0, 2} {
		require.ErrorContains(t, errs[r], fmt.Sprintf("rank 1 (process %d", os.Getpid()))
		require.ErrorContains(t, errs[r], "failed: write checkpoint: f: no space left")
		assert.Equal(t, fault.Temporary, fault.KindOf(errs[r]))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(text),
		`{"message":{"message":"write checkpoint: f: no space left","extraInfo":{"timestamp":`,
		"only the rank that failed by itself writes it")
}

// A rank that leaves as soon as it has joined does not break the connections that others still make.
func TestARankThatLeavesAtOnceIsNamed(t *testing.T) {
	for round := range 12 {
		gone := round % 4
		for r, err := range together(t, 4, options{}, func(g *Group) error {
			if g.Rank() == gone {
				g.Fail(fault.New(fault.IO, "open responses", "f", "no such file"))
				return nil
			}
			return g.Barrier("end")
		}) {
			if r == gone {
				require.NoError(t, err)
				continue
			}
			require.ErrorContains(t, err, fmt.Sprintf("rank %d (process %d", gone, os.Getpid()))
			require.ErrorContains(t, err, "failed: open responses: f: no such file")
		}
	}
}

// A rank that cannot be reached by the others is named by them, long before their own limit.
func TestARankThatCannotConnectIsNamed(t *testing.T) {
	port := freePort(t)
	errs := make([]error, 3)
	var all sync.WaitGroup
	for r := range errs {
		all.Go(func() {
			opt := options{join: time.Minute}
			if r == 1 {
				opt.iface = "nosuch0"
			}
			_, errs[r] = join(t.Context(), Env{Rank: r, World: 3, host: "127.0.0.1", port: port}, opt)
		})
	}
	all.Wait()
	require.ErrorContains(t, errs[1], "the connection with the other ranks failed")
	for _, r := range []int{0, 2} {
		require.ErrorContains(t, errs[r], fmt.Sprintf("rank 1 (process %d", os.Getpid()))
		require.ErrorContains(t, errs[r], "failed: join ranks: rank 1 of 3")
		assert.Equal(t, fault.Temporary, fault.KindOf(errs[r]))
	}
}

func TestALateRankIsNamed(t *testing.T) {
	const each = time.Second
	begun := time.Now()
	release := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Add(2)
	go func() { waiting.Wait(); close(release) }()
	errs := together(t, 3, options{each: each}, func(g *Group) error {
		if g.Rank() == 1 {
			<-release
			return g.Barrier("end")
		}
		defer waiting.Done()
		return g.Barrier("end")
	})
	for _, r := range []int{0, 2} {
		require.ErrorContains(t, errs[r], "rank 1 (process ")
		require.ErrorContains(t, errs[r], "did not come in 1s")
		assert.Equal(t, fault.Temporary, fault.KindOf(errs[r]))
	}
	require.Error(t, errs[1])
	assert.Equal(t, fault.Temporary, fault.KindOf(errs[1]))
	assert.Less(t, time.Since(begun), 20*each)
}

func TestARankThatNeverComesIsNamed(t *testing.T) {
	port := freePort(t)
	errs := make([]error, 2)
	var all sync.WaitGroup
	for r := range errs {
		all.Go(func() {
			_, errs[r] = join(t.Context(), Env{Rank: r, World: 4, host: "127.0.0.1", port: port},
				options{join: time.Second})
		})
	}
	all.Wait()
	for _, err := range errs {
		require.ErrorContains(t, err, "ranks 2, 3 did not come in 1s")
		assert.Equal(t, fault.Temporary, fault.KindOf(err))
	}
	_, err := join(t.Context(), Env{Rank: 1, World: 2, host: "127.0.0.1", port: port}, options{join: time.Second})
	require.ErrorContains(t, err, "rank 0 did not come in 1s")
	assert.Equal(t, fault.Temporary, fault.KindOf(err))
}

func TestAPortThatIsTakenIsAnError(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	for r := range 2 {
		_, err := join(t.Context(), Env{Rank: r, World: 2, host: "127.0.0.1", port: port}, options{join: time.Second})
		require.ErrorContains(t, err, fmt.Sprintf("the store at 127.0.0.1:%d", port))
		assert.Equal(t, fault.Temporary, fault.KindOf(err))
	}
}

func TestAContextEndsTheWaitForRanks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer time.AfterFunc(300*time.Millisecond, cancel).Stop()
	port := freePort(t)
	var all sync.WaitGroup
	for r := range 2 {
		all.Go(func() {
			_, err := join(ctx, Env{Rank: r, World: 3, host: "127.0.0.1", port: port}, options{})
			assert.ErrorIs(t, err, context.Canceled)
			assert.Equal(t, fault.Interrupted, fault.KindOf(err))
		})
	}
	all.Wait()
}

// The context of one rank ends that of all after the same exchange.
func TestOneRankIsStoppedAndAllStopAtTheSamePlace(t *testing.T) {
	port, steps := freePort(t), make([]int, 3)
	var all sync.WaitGroup
	for r := range steps {
		all.Go(func() {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			g, err := join(ctx, Env{Rank: r, World: 3, host: "127.0.0.1", port: port}, options{})
			if !assert.NoError(t, err) {
				return
			}
			defer g.Close()
			work := g.Context(ctx)
			for work.Err() == nil && steps[r] < 1000 {
				if r == 1 && steps[r] == 5 {
					cancel(fault.New(fault.Terminated, "stopped", "", "SIGTERM"))
				}
				if !assert.NoError(t, g.Barrier("step")) {
					return
				}
				steps[r]++
			}
			assert.Equal(t, fault.Terminated, fault.KindOf(context.Cause(work)))
			assert.NoError(t, g.Barrier("save"), "exchanges go on, to save")
		})
	}
	all.Wait()
	assert.GreaterOrEqual(t, steps[0], 6)
	assert.Less(t, steps[0], 1000)
	assert.Equal(t, []int{steps[0], steps[0], steps[0]}, steps)
}

func TestCloseEndsAnExchange(t *testing.T) {
	closed := make(chan struct{})
	errs := together(t, 2, options{}, func(g *Group) error {
		if g.Rank() == 1 {
			<-closed
			return nil
		}
		time.AfterFunc(200*time.Millisecond, g.Close)
		err := g.Barrier("end")
		close(closed)
		return err
	})
	assert.ErrorIs(t, errs[0], fault.ErrClosed)
	require.NoError(t, errs[1])
}

func TestTimesOfJoinAndExchange(t *testing.T) {
	for text, want := range map[string]time.Duration{"90s": 90 * time.Second, "12": 12 * time.Second,
		".5": time.Second / 2} {
		o, err := options{}.resolved(func(key string) string { return map[string]string{timeoutVariable: text}[key] })
		require.NoError(t, err)
		assert.Equal(t, options{join: want, each: want}, o)
	}
	for _, text := range []string{"soon", "0", "-3s", "5 minutes"} {
		_, err := options{}.resolved(func(string) string { return text })
		require.ErrorContains(t, err, timeoutVariable)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
	}
	o, err := options{each: time.Second}.resolved(func(key string) string {
		return map[string]string{"GLOO_SOCKET_IFNAME": "ib0"}[key]
	})
	require.NoError(t, err)
	assert.Equal(t, options{join: 5 * time.Minute, each: time.Second, iface: "ib0"}, o)
}
