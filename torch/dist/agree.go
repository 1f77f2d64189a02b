package dist

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"time"
	"unsafe"

	"github.com/brainwavlm/bwlm/fault"
)

// An agreement comes before each exchange: all ranks tell each other what they are about to do. c10d ends the process
// where sizes differ, and waits for ever where operations do.
const (
	agreementBytes = 128
	agreementText  = agreementBytes - 32
)

// agreement returns the number of an exchange, its bytes, a hash of how they are parted, the wishes of this rank, and
// a name.
func agreement(seq, size, parts, wishes int64, what string) []byte {
	out := make([]byte, 0, agreementBytes)
	for _, n := range []int64{seq, size, parts, wishes} {
		out = binary.LittleEndian.AppendUint64(out, uint64(n))
	}
	out = append(out, what[:min(len(what), agreementText)]...)
	return append(out, make([]byte, agreementBytes-len(out))...)
}

// agree returns an error unless all ranks are about to do the same: what, with a number of bytes, in equal parts.
func (g *Group) agree(what string, size int, parts ...int) error {
	g.mu.Lock()
	bad := g.bad
	g.mu.Unlock()
	if bad != nil {
		return bad
	}
	seq := g.seq.Add(1)
	mine := agreement(seq, int64(size), hashOf(parts), g.wish.Swap(0), what)
	all := make([]byte, agreementBytes*g.env.World)
	err := g.run(what, exchange{what: gather, in: unsafe.Pointer(&mine[0]), send: []int64{agreementBytes}}, all)
	if err != nil {
		return err
	}
	var first []byte
	equal, wishes := true, int64(0)
	said := make([]string, g.env.World)
	for r := range g.env.World {
		one := all[r*agreementBytes : (r+1)*agreementBytes]
		wishes |= int64(binary.LittleEndian.Uint64(one[24:]))
		clear(one[24:32])
		if first == nil {
			first = one
		}
		equal = equal && bytes.Equal(first, one)
		said[r] = fmt.Sprintf("%s of %d bytes", bytes.TrimRight(one[32:], "\x00"),
			binary.LittleEndian.Uint64(one[8:]))
		if !bytes.Equal(first[16:24], one[16:24]) {
			said[r] += " in other parts"
		}
	}
	if !equal {
		return g.broken(fault.New(fault.Internal, "exchange", g.env.String(),
			"ranks do not do the same in exchange %d: %s", seq, byRank(said)))
	}
	if wishes != 0 {
		g.stop(stopWith(wishes))
	}
	return nil
}

// hashOf returns a hash of numbers.
func hashOf(numbers []int) int64 {
	h := fnv.New64a()
	for _, n := range numbers {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
	}
	return int64(h.Sum64())
}

// byRank lists what ranks said, those that said the same together.
func byRank(said []string) string {
	var out []string
	for r, text := range said {
		if slices.Index(said, text) < r {
			continue
		}
		var list []int
		for other := range said {
			if said[other] == text {
				list = append(list, other)
			}
		}
		out = append(out, ranks(list, nil)+": "+text)
	}
	return strings.Join(out, "; ")
}

// broken sets what every later exchange returns, and returns it.
func (g *Group) broken(err error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.bad == nil {
		g.bad = err
	}
	return g.bad
}

// waitEvery is the time after which an exchange that goes on looks for other reasons to end.
const waitEvery = 100 * time.Millisecond

var errGone = errors.New("another rank has left")

// run runs an exchange and copies its result to out.
func (g *Group) run(what string, x exchange, out []byte) error {
	begun := time.Now()
	defer func() { g.traffic.Waited += time.Since(begun) }()
	x.most = g.opt.each
	result := make(chan error, 1)
	ended := g.data.do(x.most+2*time.Second, g.ended, func() {
		err := g.h.start(x)
		for err == nil {
			if err = g.h.wait(waitEvery); err != errPending {
				break
			}
			select {
			case <-g.ended:
				err = fault.ErrClosed
			default:
				if err = nil; g.gone.Load() {
					err = errGone
				}
			}
		}
		if err == nil && len(out) > 0 {
			err = g.h.take(unsafe.Pointer(&out[0]), len(out))
		}
		result <- err
	})
	err := errLate
	if ended {
		err = <-result
	}
	select {
	case <-g.ended:
		return g.broken(fault.Wrap(fault.Unavailable, what, g.env.String(), fault.ErrClosed))
	default:
	}
	if err != nil {
		return g.broken(g.lost(what, err, x.most))
	}
	return nil
}
