package dist

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// options of join. Zeros are replaced.
type options struct {
	join  time.Duration // that all ranks may take to come; 0: BWLM_DIST_TIMEOUT, else 5 minutes
	each  time.Duration // that an exchange may take; 0: BWLM_DIST_TIMEOUT, else 30 minutes
	iface string        // of the network; "": GLOO_SOCKET_IFNAME, else the one by which the store is reached
}

const timeoutVariable = "BWLM_DIST_TIMEOUT"

// resolved replaces zeros.
func (o options) resolved(look func(string) string) (options, error) {
	join, each := 5*time.Minute, 30*time.Minute
	if text := look(timeoutVariable); text != "" {
		d, err := time.ParseDuration(text)
		if seconds, number := strconv.ParseFloat(text, 64); number == nil {
			d, err = time.Duration(seconds*float64(time.Second)), nil
		}
		if err != nil || d <= 0 {
			return o, fault.New(fault.Usage, joining, timeoutVariable, "%q is no time, such as 90s or 30m", text)
		}
		join, each = d, d
	}
	if o.join == 0 {
		o.join = join
	}
	if o.each == 0 {
		o.each = each
	}
	if o.iface == "" {
		o.iface = look("GLOO_SOCKET_IFNAME")
	}
	return o, nil
}

// available finds the functions of the binding, once.
var available = sync.OnceValue(func() error {
	if err := torch.Available(); err != nil {
		return err
	}
	return openBinding()
})

// Join waits for all ranks and connects them. For one process it returns nil. When ctx ends while it waits, it returns
// the context's cause; when ctx ends later, see [Group.Context]. An error of kind Temporary names who did not come.
func Join(ctx context.Context, e Env) (*Group, error) { return join(ctx, e, options{}) }

func join(ctx context.Context, e Env, opt options) (*Group, error) {
	if e.World <= 1 {
		return nil, nil
	}
	opt, err := opt.resolved(os.Getenv)
	if err == nil {
		err = available()
	}
	if err != nil {
		return nil, err
	}
	j := &joiner{ctx: ctx, env: e, until: time.Now().Add(opt.join), limit: opt.join}
	g := &Group{env: e, opt: opt, data: newThread(), store: newThread(), ended: make(chan struct{})}
	if err := j.connect(g); err != nil {
		j.abandon(g, err)
		return nil, err
	}
	g.context, g.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	g.forget = context.AfterFunc(ctx, func() {
		if fault.KindOf(context.Cause(ctx)) == fault.Terminated {
			g.wish.Or(wishTerminate)
		} else {
			g.wish.Or(wishInterrupt)
		}
	})
	g.watch.Go(g.listen)
	return g, nil
}

// joiner is what Join does until all are connected.
type joiner struct {
	ctx   context.Context
	env   Env
	until time.Time
	limit time.Duration
}

func (j *joiner) connect(g *Group) error {
	serves := j.env.Rank == 0 && !j.env.agent
	if !serves {
		if err := j.dial(); err != nil {
			return err
		}
	}
	err := j.run(g.store, func() (err error) {
		g.h, err = openStore(j.env.host, j.env.port, serves, j.env.World, "bwlm/"+j.env.attempt, j.left())
		return err
	})
	if err != nil {
		hint := "see whether another program has the port, and give another MASTER_PORT"
		if !serves {
			hint = "see whether " + j.address() + " is that of rank 0"
		}
		return j.fault(err, "the store at %s", j.address()).WithHint("%s", hint)
	}
	host, _ := os.Hostname()
	if g.names, err = j.meet(g, keyHere, fmt.Sprintf("%s\t%d", host, os.Getpid())); err != nil {
		return err
	}
	address := ""
	if g.opt.iface == "" {
		address = j.localAddress(g.names)
	}
	return j.mesh(g, address)
}

// mesh connects this rank with all others. It ends early when one of them fails. None may leave while another one still
// connects, so it waits for all.
func (j joiner) mesh(g *Group, address string) error {
	ctx, end := context.WithCancelCause(j.ctx)
	defer end(nil)
	j.ctx = ctx
	var told error
	var watch sync.WaitGroup
	watch.Go(func() {
		if told = j.failure(g); told != nil {
			end(told)
		}
	})
	err := j.run(g.data, func() error {
		return g.h.connect(j.env.Rank, j.env.World, g.opt.iface, address, j.left())
	})
	if err != nil {
		err = j.fault(err, "the connection with the other ranks").
			WithHint("set GLOO_SOCKET_IFNAME to the network interface by which the machines reach each other")
	} else {
		_, err = j.meet(g, keyConnected, "1")
	}
	end(nil)
	if watch.Wait(); told != nil {
		return told
	}
	return err
}

// failure waits for a rank to fail, until the context ends.
func (j *joiner) failure(g *Group) error {
	for ; j.ctx.Err() == nil; j.pause() {
		failures, err := g.get(g.each(keyFailed)...)
		if err != nil {
			continue // Join has its own limit
		}
		for r, why := range failures {
			if why != "" {
				return fault.New(fault.Temporary, joining, j.env.String(), "%s failed: %s",
					ranks([]int{r}, g.names), why).WithHint("see the log of that rank, and start all ranks anew")
			}
		}
	}
	return nil
}

// abandon tells the others why a Join failed and frees what it has made, unless a call of c10d still uses it. The store
// of rank 0 stays long enough for the others to learn who is missing.
func (j *joiner) abandon(g *Group, why error) {
	g.store.do(storeTime, nil, func() {
		if g.h != nil {
			_ = g.h.set(keyFailed(j.env.Rank), oneLine(why.Error())) // without it they wait until their own limit
		}
	})
	if j.env.Rank == 0 && !j.env.agent && j.ctx.Err() == nil {
		time.Sleep(graceTime)
	}
	g.data.do(time.Second, nil, func() {
		g.store.do(time.Second, nil, func() {
			if g.h != nil {
				g.h.close()
			}
		})
	})
	g.data.end()
	g.store.end()
}

func (j *joiner) address() string { return net.JoinHostPort(j.env.host, strconv.Itoa(j.env.port)) }

func (j *joiner) left() time.Duration { return max(time.Until(j.until), time.Millisecond) }

// run runs a call of c10d, which may take as long as Join has left.
func (j *joiner) run(t *thread, call func() error) error {
	result := make(chan error, 1)
	if t.do(j.left()+time.Second, j.ctx.Done(), func() { result <- call() }) {
		return <-result
	}
	return errLate
}

// fault describes a failure of Join.
func (j *joiner) fault(err error, what string, args ...any) *fault.Error {
	if cause := context.Cause(j.ctx); cause != nil {
		return fault.Wrap(fault.KindOf(cause), joining, j.env.String(), cause)
	}
	what = fmt.Sprintf(what, args...)
	if errors.Is(err, errLate) {
		return fault.New(fault.Temporary, joining, j.env.String(), "%s did not come about in %v", what, j.limit)
	}
	return fault.New(fault.Temporary, joining, j.env.String(), "%s failed: %v", what, err)
}

// dial waits until the store's address answers.
func (j *joiner) dial() error {
	var last error
	for j.ctx.Err() == nil {
		d := net.Dialer{Timeout: min(j.left(), 5*time.Second)}
		c, err := d.DialContext(j.ctx, "tcp", j.address())
		if err == nil {
			return c.Close()
		}
		if last = err; time.Now().After(j.until) {
			return fault.New(fault.Temporary, joining, j.env.String(), "rank 0 did not come in %v: %v", j.limit, last).
				WithHint("see whether rank 0 runs, and can be reached at MASTER_ADDR and MASTER_PORT")
		}
		j.pause()
	}
	return j.fault(last, "")
}

func (j *joiner) pause() {
	select {
	case <-j.ctx.Done():
	case <-time.After(min(j.left(), 100*time.Millisecond)):
	}
}

// meet sets this rank's key at the store, waits until all ranks have set theirs, and returns what they set.
func (j *joiner) meet(g *Group, key func(rank int) string, value string) ([]string, error) {
	err := j.run(g.store, func() error { return g.h.set(key(j.env.Rank), value) })
	values := make([]string, j.env.World)
	var missing []int
	for err == nil && j.ctx.Err() == nil {
		var now []int
		err = j.run(g.store, func() (err error) {
			for r := 0; r < len(values) && err == nil; r++ {
				if values[r] == "" {
					values[r], _, err = g.h.get(key(r))
				}
				if err == nil && values[r] == "" {
					now = append(now, r)
				}
			}
			return err
		})
		if err == nil && now == nil {
			return values, nil
		}
		if err == nil {
			missing = now
		}
		if err == nil && time.Now().After(j.until) || errors.Is(err, errLost) && missing != nil {
			return nil, fault.New(fault.Temporary, joining, j.env.String(), "%s did not come in %v",
				ranks(missing, g.names), j.limit).WithHint("look at their logs, and start all ranks anew")
		}
		j.pause()
	}
	return nil, j.fault(err, "the store at %s", j.address())
}

// localAddress returns this machine's address towards rank 0, or the loopback if all ranks are on one machine.
func (j *joiner) localAddress(names []string) string {
	one := true
	for _, name := range names {
		one = one && hostOf(name) == hostOf(names[0])
	}
	loopback := net.IPv4(127, 0, 0, 1).String()
	if one {
		if ip := net.ParseIP(j.env.host); ip == nil || ip.IsLoopback() {
			return loopback
		}
	}
	if c, err := net.Dial("udp", j.address()); err == nil { // which sends nothing
		defer c.Close()
		if a, ok := c.LocalAddr().(*net.UDPAddr); ok && (!a.IP.IsLoopback() || one) {
			return a.IP.String()
		}
	}
	host, _ := os.Hostname() // rank 0, whose own name may stand for the loopback
	addresses, _ := net.LookupIP(host)
	for _, ip := range addresses {
		if !ip.IsLoopback() {
			return ip.String()
		}
	}
	return loopback
}

func hostOf(name string) string { host, _, _ := strings.Cut(name, "\t"); return host }
