package dist

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A peer that leaves with answers of the store under way does not end the process that holds the store, though a write
// to its connection raises SIGPIPE in a thread of c10d.
func TestAPeerThatLeavesDoesNotEndTheProcess(t *testing.T) {
	const child = "BWLM_TEST_STORE"
	if os.Getenv(child) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return
	}
	port := freePort(t)
	require.NoError(t, available())
	h, err := openStore("127.0.0.1", port, true, 2, "p/", 10*time.Second)
	require.NoError(t, err)
	defer h.close()
	require.NoError(t, h.set("key", "value"))
	for range 50 {
		leaveWithAnswersUnderWay(t, port)
	}
	value, ok, err := h.get("key")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "value", value)
}

// leaveWithAnswersUnderWay asks the store 2000 times for a value, by the protocol of TCPStore, and reads no answer.
func leaveWithAnswersUnderWay(t *testing.T, port int) {
	t.Helper()
	const validate, magic, get, key = 0, 0x3C85F7CE, 3, "p/key"
	var ask bytes.Buffer
	ask.WriteByte(validate)
	require.NoError(t, binary.Write(&ask, binary.LittleEndian, uint32(magic)))
	for range 2000 {
		ask.WriteByte(get)
		require.NoError(t, binary.Write(&ask, binary.LittleEndian, uint64(len(key))))
		ask.WriteString(key)
	}
	c, err := new(net.Dialer).DialContext(context.Background(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	require.NoError(t, err)
	_, _ = c.Write(ask.Bytes())
	require.NoError(t, c.Close())
}
