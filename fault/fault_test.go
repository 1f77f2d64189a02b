package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/fault"
)

func TestKindOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want fault.Kind
	}{
		{errors.New("a"), fault.Internal},
		{nil, fault.Internal},
		{fault.New(fault.BadData, "read", "f", "empty"), fault.BadData},
		{fmt.Errorf("story: %w", fault.New(fault.BadData, "read", "f", "empty")), fault.BadData},
		{context.Canceled, fault.Interrupted},
		{context.DeadlineExceeded, fault.Interrupted},
		{fmt.Errorf("story: %w", context.Canceled), fault.Interrupted},
		{fault.Wrap(fault.IO, "read", "f", context.DeadlineExceeded), fault.Interrupted},
		{fault.Wrap(fault.Terminated, "stopped", "", context.Canceled), fault.Terminated},
		{fault.Wrap(fault.Temporary, "serve", "", context.Canceled), fault.Temporary},
		{fault.ErrClosed, fault.Unavailable},
		{fmt.Errorf("matmul: %w", fault.ErrClosed), fault.Unavailable},
		{fault.Wrap(fault.Internal, "save", "f", fault.ErrClosed), fault.Unavailable},
		{fault.Wrap(fault.Temporary, "predict", "", fault.ErrClosed), fault.Temporary},
		{fmt.Errorf("matmul: %w", fault.ErrMemory), fault.Memory},
		{fault.Wrap(fault.Internal, "save", "f", fault.ErrMemory), fault.Memory},
		{fault.Wrap(fault.BadData, "load", "f", fault.ErrMemory), fault.BadData},
	} {
		assert.Equal(t, c.want, fault.KindOf(c.err), "%v", c.err)
	}
}

func TestMissingWrapsErrNotExist(t *testing.T) {
	assert.ErrorIs(t, fault.New(fault.Missing, "open run", "dir", "there is no config.yaml"), fs.ErrNotExist)
	assert.NotErrorIs(t, fault.New(fault.BadData, "open run", "dir", "is a file"), fs.ErrNotExist)
	assert.NotErrorIs(t, fault.Wrap(fault.Missing, "read", "f", fs.ErrPermission), fs.ErrNotExist)
}

func TestErrorIsOneLine(t *testing.T) {
	e := fault.New(fault.BadData, "read", "f:2", "%d rows", 0).WithHint("give %s", "rows")
	assert.Equal(t, "read: f:2: 0 rows; give rows", e.Error())
	assert.Equal(t, "read: f: file does not exist", fault.Wrap(fault.Missing, "read", "f", fs.ErrNotExist).Error())
	assert.Equal(t, "100%", fault.New(fault.IO, "", "", "100%").Error(), "a reason without arguments is taken as it is")
	assert.Equal(t, "a: used after Close", (&fault.Error{Op: "a", Err: fault.ErrClosed}).Error())
}
