// Package analysisplan locks the analysis of a study before the training, and counts the reads of
// its test rows afterwards.
//
// A plan is stored next to a run directory: OUT.analysis_plan.json holds the hash of each subject's
// splits and ROI masks, the endpoints (ROIs, test, sides) and the non-inferiority margin δ;
// OUT.test_reads.jsonl gets a line for each computation of scores of test rows. A score that was
// read twenty times while choices were made is no test any more; the count makes that visible.
//
// δ is a fraction of the untuned model's score, which must not be known of the test rows yet. So
// the plan takes the score of the validation rows and stores the product in units of r, by ROI.
// Where test stories were repeated and validation stories were not, r is lower on the latter: the
// margin errs on the strict side.
//
// # Caveats
//
// Nothing enforces the plan: whoever can write the files can forge them. Scores computed elsewhere,
// from the .npy files or by another program, are not counted.
package analysisplan
