// Package seal writes down, before a training, what will be tested, and counts who looked at the test rows afterwards.
//
// A seal stands beside a run directory: OUT.seal.json holds the hash of each person's splits and masks, the endpoints
// (regions, test, sides) and the margin δ; OUT.looks.jsonl gets a line whenever scores of test rows are computed. A number that
// was looked at twenty times while choices were made is no test any more, and a seal makes that visible.
//
// δ is a share of what the untuned model scores, which nobody may know of the test rows yet. So the seal takes the score of
// the validation rows, which are there to be looked at, and writes the product down in r, by region. Where test stories were
// heard several times and validation stories once, r is lower on the latter: the margin errs on the strict side.
//
// # Caveats
//
// It is a promise kept among honest people: whoever can write the files can forge them. Scores computed elsewhere, from
// the .npy files or by another program, are not counted.
package analysisplan
