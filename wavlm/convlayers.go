package wavlm

import (
	"fmt"
	"strconv"
	"strings"
)

// maxConvLayers is far above all published models.
const maxConvLayers = 64

// parseConvLayers reads fairseq's Python expression for convolutions, such as "[(512,10,5)] +
// [(512,3,2)] * 4": lists of (width, kernel, stride), repeated and joined. fairseq evaluates it as
// a program; here it has a small grammar:
//
//	sum    = list { "+" list }
//	list   = "[" triple { "," triple } "]" [ "*" number ]
//	triple = "(" number "," number "," number ")"
func parseConvLayers(text string) (layers [][3]int, err error) {
	p := &convParser{rest: text}
	for {
		more := p.list()
		times := 1
		if p.next("*") {
			times = p.number()
		}
		if times*len(more) > maxConvLayers || len(layers) > maxConvLayers {
			return nil, fmt.Errorf("more than %d layers", maxConvLayers)
		}
		for range times {
			layers = append(layers, more...)
		}
		if !p.next("+") {
			break
		}
	}
	if p.err == nil && strings.TrimSpace(p.rest) != "" {
		p.want("the end")
	}
	return layers, p.err
}

// convParser stores the first error and reads nothing after it.
type convParser struct {
	rest string
	err  error
}

func (p *convParser) want(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("want %s before %q", what, p.rest)
	}
}

// next reports whether the token is next, and skips it if so.
func (p *convParser) next(token string) bool {
	rest, ok := strings.CutPrefix(strings.TrimLeft(p.rest, " "), token)
	if ok && p.err == nil {
		p.rest = rest
	}
	return ok && p.err == nil
}

func (p *convParser) expect(token string) {
	if !p.next(token) {
		p.want(token)
	}
}

func (p *convParser) number() int {
	text := strings.TrimLeft(p.rest, " ")
	digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
	n, err := strconv.ParseUint(text[:digits], 10, 20)
	if err != nil {
		p.want("a number")
		return 0
	}
	p.rest = text[digits:]
	return int(n)
}

func (p *convParser) list() (layers [][3]int) {
	p.expect("[")
	for {
		var l [3]int
		for i, before := range []string{"(", ",", ","} {
			p.expect(before)
			l[i] = p.number()
		}
		p.expect(")")
		layers = append(layers, l)
		if !p.next(",") {
			break
		}
	}
	p.expect("]")
	return layers
}
