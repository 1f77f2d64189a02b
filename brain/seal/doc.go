// Package seal writes down, before a training, what will be tested, and counts who looked at the test rows afterwards.
//
// A seal stands beside a run directory: OUT.seal.json holds the hash of each person's splits and masks, the endpoints
// (regions, test, sides) and the margin δ; OUT.looks.jsonl gets a line whenever scores of test rows are computed. A number that
// was looked at twenty times while choices were made is no test any more, and a seal makes that visible.
//
// # Caveats
//
// It is a promise kept among honest people: whoever can write the files can forge them. Scores computed elsewhere, from
// the .npy files or by another program, are not counted.
package seal
