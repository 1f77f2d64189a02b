// Package faulttest checks errors in tests.
package faulttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// Require fails the test unless err is a complete fault of a kind, on one line, that contains the
// texts.
func Require(t testing.TB, kind fault.Kind, err error, contains ...string) {
	t.Helper()
	var e *fault.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, kind, e.Kind, "%v", err)
	require.NotEmpty(t, e.Op, "%v", err)
	require.True(t, e.Reason != "" || e.Err != nil, "%v: there is no reason", err)
	require.NotContains(t, err.Error(), "\n")
	for _, text := range contains {
		require.Contains(t, err.Error(), text)
	}
}
