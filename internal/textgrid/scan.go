package textgrid

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/brainwavlm/bwlm/internal/quote"
)

// kind is a kind of token.
type kind int

const (
	end kind = iota
	number
	label // in quotes
	flag  // in angle brackets
)

func (k kind) String() string {
	return [...]string{"the end of the file", "a number", "a text in quotes", "a flag in angle brackets"}[k]
}

// token is what counts in a TextGrid.
type token struct {
	kind   kind
	text   string
	number float64
}

// scanner finds the tokens of a text.
type scanner struct {
	text string
	at   int
}

const space = " \t\r\n\v\f"

// next returns the next token. All words that are none are passed over.
func (s *scanner) next() (token, error) {
	for {
		rest := strings.TrimLeft(s.text[s.at:], space)
		s.at = len(s.text) - len(rest)
		if rest == "" {
			return token{}, nil
		}
		switch rest[0] {
		case '"':
			return s.quoted()
		case '!':
			s.at += upTo(rest, "\r\n")
			continue
		case '<':
			n := upTo(rest, space)
			s.at += n
			if strings.HasSuffix(rest[:n], ">") {
				return token{kind: flag, text: rest[1 : n-1]}, nil
			}
			continue
		}
		n := upTo(rest, space+`"`)
		s.at += n
		if v, ok := parseNumber(rest[:n]); ok {
			return token{kind: number, text: rest[:n], number: v}, nil
		}
	}
}

// upTo is the length of text before the first of some characters.
func upTo(text, characters string) int {
	if n := strings.IndexAny(text, characters); n >= 0 {
		return n
	}
	return len(text)
}

// parseNumber reads a finite decimal number.
func parseNumber(word string) (float64, bool) {
	if strings.IndexByte("0123456789+-.", word[0]) < 0 || strings.ContainsAny(word, "xXpP_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(word, 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// quoted reads a text in quotes, where a quote is written twice.
func (s *scanner) quoted() (token, error) {
	from := s.at + 1
	doubled := false
	for i := from; i < len(s.text); i++ {
		if s.text[i] != '"' {
			continue
		}
		if i+1 < len(s.text) && s.text[i+1] == '"' {
			doubled = true
			i++
			continue
		}
		s.at = i + 1
		text := s.text[from:i]
		if doubled {
			text = strings.ReplaceAll(text, `""`, `"`)
		}
		return token{kind: label, text: text}, nil
	}
	return token{}, fmt.Errorf("the text in quotes that begins in line %d has no end", s.line())
}

// line is the number of the present line.
func (s *scanner) line() int { return 1 + strings.Count(s.text[:min(s.at, len(s.text))], "\n") }

// want returns the next token, which must be of a kind. what names it.
func (s *scanner) want(k kind, what string) (token, error) {
	t, err := s.next()
	if err == nil && t.kind != k {
		found := t.kind.String()
		if t.text != "" {
			found = quote.OneLine(quote.Short(t.text))
		}
		err = fmt.Errorf("line %d: found %s, want %s, %s", s.line(), found, what, k)
	}
	return t, err
}
