#include <signal.h>
#include <stddef.h>

// A write to a connection that a peer has closed raises SIGPIPE. The threads of c10d do not ask for EPIPE in its place,
// as Python ignores the signal. Go's runtime installs its own handler after this, and leaves a signal in a thread that
// is not its own to the handler that it found: the default one would end the process. Signals in goroutines stay Go's.
__attribute__((constructor)) static void ignore_sigpipe(void) {
  struct sigaction was;
  if (sigaction(SIGPIPE, NULL, &was) == 0 && was.sa_handler == SIG_DFL) signal(SIGPIPE, SIG_IGN);
}
