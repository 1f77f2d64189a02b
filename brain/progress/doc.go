// Package progress has the events by which long computations report where they are, and the names of phases and parts
// under which a profile of package torch books their time.
package progress
