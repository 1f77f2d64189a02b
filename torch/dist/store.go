package dist

import (
	"strconv"
	"time"
)

// Keys of the store.
const keyGone = "gone" // set by the first rank that leaves before the end

func keyHere(rank int) string      { return "here/" + strconv.Itoa(rank) } // host and process of a rank
func keyConnected(rank int) string { return "connected/" + strconv.Itoa(rank) }
func keyFailed(rank int) string    { return "failed/" + strconv.Itoa(rank) } // error of a rank that failed by itself
func keyAt(rank int) string        { return "at/" + strconv.Itoa(rank) }     // the exchange at which a rank saw keyGone
func keyLeft(rank int) string      { return "left/" + strconv.Itoa(rank) }   // a rank has left

// storeTime is the time that an answer of the store may take. Where the network is cut there is none.
const storeTime = time.Second

// ask runs a call of the store. Its result is errLate if there is no answer.
func (g *Group) ask(call func() error) error {
	result := make(chan error, 1)
	if !g.store.do(storeTime, nil, func() { result <- call() }) {
		return errLate
	}
	return <-result
}

func (g *Group) set(key, value string) error {
	return g.ask(func() error { return g.h.set(key, value) })
}

// get returns the values of some keys, "" for those that have none.
func (g *Group) get(keys ...string) ([]string, error) {
	values := make([]string, len(keys))
	err := g.ask(func() (err error) {
		mine := make([]string, len(keys))
		for i, key := range keys {
			if mine[i], _, err = g.h.get(key); err != nil {
				return err
			}
		}
		values = mine
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// each returns a key of every rank.
func (g *Group) each(key func(int) string) []string {
	keys := make([]string, g.env.World)
	for r := range keys {
		keys[r] = key(r)
	}
	return keys
}

const (
	listenEvery = 200 * time.Millisecond
	lastTime    = 300 * time.Millisecond // for an exchange that is about to end when another rank leaves
)

// listen learns from the store when another rank leaves before the end, and answers how far this one is. A rank that
// waits for a second one so learns of the end of a third, and a rank that computes is not taken for a dead one. The
// store ends with rank 0, unless it is the launcher's.
func (g *Group) listen() {
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for {
		select {
		case <-g.ended:
			return
		case <-tick.C:
		}
		gone, err := g.get(keyGone)
		if err == errLate || err == nil && gone[0] == "" {
			continue
		}
		_ = g.set(keyAt(g.env.Rank), strconv.FormatInt(g.seq.Load(), 10))
		select {
		case <-g.ended:
		case <-time.After(lastTime):
		}
		g.gone.Store(true)
		return
	}
}
