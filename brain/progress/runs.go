package progress

// RunStatus is where a process stands that shares several runs with others, as those of a sweep.
type RunStatus struct {
	Run    string // that begins; "" while all that are left are at work in other processes
	Scores bool   // it is tuned, and its test rows are scored
	Index  int    // of the run, from 0
	Total  int    // runs
	Others int    // runs at work in other processes
}
