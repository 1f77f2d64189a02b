package raw

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func reader(text string) *XMLReader {
	return NewXMLReader(bufio.NewReaderSize(strings.NewReader(text), 16))
}

func TestXMLReaderGoesTagByTag(t *testing.T) {
	x := reader(`<?xml version="1.0"?><!DOCTYPE a SYSTEM "x.dtd"><a>skipped<b k="v">a text longer than a buffer</b>` +
		`<c/><d>1<e>2</e>3</d></a>`)
	var names []string
	for {
		e, err := x.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch {
		case e == nil:
			names = append(names, "/")
		case e.Name == "b":
			text, err := io.ReadAll(x.Text())
			require.NoError(t, err)
			names = append(names, e.Attr("k")+":"+string(text))
		case e.Name == "d":
			d, err := x.Whole(e)
			require.NoError(t, err)
			names = append(names, "d"+d.Trimmed()+d.One("e").Trimmed())
		default:
			names = append(names, e.Name)
		}
	}
	assert.Equal(t, []string{"a", "v:a text longer than a buffer", "/", "c", "/", "d132", "/"}, names)
}

func TestXMLReaderIsBounded(t *testing.T) {
	all := func(text string) error {
		x := reader(text)
		for {
			if _, err := x.Next(); err != nil {
				return err
			}
		}
	}
	require.ErrorIs(t, all(strings.Repeat("<a>", 11)+strings.Repeat("</a>", 11)), io.EOF)
	require.ErrorContains(t, all(strings.Repeat("<a>", 12)), "nests more than 11 deep")
	require.ErrorContains(t, all("<a>"+strings.Repeat(" ", maxBetween+1)+"</a>"), "between two tags")
	require.ErrorContains(t, all(`<!DOCTYPE a [<!ENTITY b "c">]><a/>`), "entities")
	x := reader("<a>" + strings.Repeat("<b>", 11))
	e, err := x.Next()
	require.NoError(t, err)
	_, err = x.Whole(e)
	require.ErrorContains(t, err, "nests more than 11 deep")
	x = reader("<a>text")
	_, err = x.Next()
	require.NoError(t, err)
	_, err = io.ReadAll(x.Text())
	require.ErrorContains(t, err, "the XML ends within an element")
}
