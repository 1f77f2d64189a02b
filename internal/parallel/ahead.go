package parallel

import "context"

// Ahead reads the pieces 0 ≤ i < n one after another, each while the one before is used, so that two are in memory.
// Read fills a buffer, which it may replace; it runs on a goroutine of its own, and use on that of the caller. The
// first error ends both, as does the end of the context. When Ahead returns, nothing reads any more.
func Ahead[T any](ctx context.Context, n int, read func(i int, buffer *T) error,
	use func(i int, piece *T) error) error {
	var buffers [2]T
	if n == 1 { // nothing to read ahead
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := read(0, &buffers[0]); err != nil {
			return err
		}
		return use(0, &buffers[0])
	}
	pieces, free, stop := make(chan error), make(chan struct{}, len(buffers)), make(chan struct{})
	for range buffers {
		free <- struct{}{}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range n {
			select {
			case <-free:
			case <-stop:
				return
			}
			err := context.Cause(ctx)
			if err == nil {
				err = read(i, &buffers[i%len(buffers)])
			}
			select {
			case pieces <- err:
			case <-stop:
				return
			}
			if err != nil {
				return
			}
		}
	}()
	defer func() { // also where use panics
		close(stop)
		<-done
	}()
	for i := range n {
		if err := <-pieces; err != nil {
			return err
		}
		if err := use(i, &buffers[i%len(buffers)]); err != nil {
			return err
		}
		free <- struct{}{}
	}
	return nil
}
