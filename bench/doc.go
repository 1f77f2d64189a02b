// Package bench has Go benchmarks of what a tuning step and an evaluation spend their time on, at
// sizes that studies have, beside the scripts that run whole programs and their Python peers in
// turn (README.md).
//
//	go test ./bench -run '^$' -bench . -benchtime 3x
package bench
