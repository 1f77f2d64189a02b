package main

import (
	"cmp"
	"errors"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
)

// pair is features, and responses that are not read yet.
type pair struct {
	x            npy.Matrix // (rows, features)
	y            *npy.Columns
	xPath, yPath string
}

// openPair reads features and opens responses with as many rows.
func openPair(xPath, yPath string) (*pair, error) {
	p := &pair{xPath: xPath, yPath: yPath}
	var err error
	if p.x, err = npy.ReadMatrix(xPath); err != nil {
		return nil, err
	}
	if p.y, err = npy.OpenColumns(yPath); err != nil {
		return nil, err
	}
	if p.y.Rows != p.x.Rows {
		p.close()
		e := fault.New(fault.BadData, "ridge", yPath, "%d rows, %s has %d", p.y.Rows, xPath, p.x.Rows)
		switch {
		case p.y.Cols == p.x.Rows && p.x.Cols == p.y.Rows:
			return nil, e.WithHint("one of them looks transposed: want rows x features and rows x voxels")
		case p.y.Cols == p.x.Rows:
			return nil, e.WithHint("it looks transposed: want rows x voxels")
		case p.x.Cols == p.y.Rows:
			return nil, e.WithHint("%s looks transposed: want rows x features", xPath)
		}
		return nil, e.WithHint("both must have a row for each TR")
	}
	if p.x.Rows == 0 || p.x.Cols == 0 || p.y.Cols == 0 {
		p.close()
		return nil, fault.New(fault.BadData, "ridge", yPath, "%d rows, %d features, %d voxels: nothing to fit",
			p.x.Rows, p.x.Cols, p.y.Cols)
	}
	return p, nil
}

func (p *pair) close() { _ = p.y.Close() } // it was only read

// like refuses test data of other features or voxels than the training data.
func (p *pair) like(train *pair) error {
	for _, c := range []struct {
		what, path, as string
		got, want      int
	}{{"features", p.xPath, train.xPath, p.x.Cols, train.x.Cols},
		{"voxels", p.yPath, train.yPath, p.y.Cols, train.y.Cols}} {
		if c.got != c.want {
			e := fault.New(fault.BadData, "ridge", c.path, "%d %s, %s has %d", c.got, c.what, c.as, c.want)
			if p.x.Rows == c.want {
				return e.WithHint("it looks transposed: want rows x %s", c.what)
			}
			return e.WithHint("training and test data must have the same %s", c.what)
		}
	}
	return nil
}

// name gives an error of the ridge the file that it is about.
func (p *pair) name(err error) error {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok || e.Op != "ridge" {
		return err
	}
	named := *e
	places := map[string]string{"features": p.xPath, "responses": p.yPath, "folds": "--folds", "bands": "--bands"}
	named.Path = cmp.Or(places[e.Path], e.Path)
	return &named
}
