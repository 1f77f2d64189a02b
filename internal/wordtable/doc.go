// Package wordtable reads tables of words with their times: comma- or tab-separated text whose first line names the
// columns onset, offset and word, and what the aligner Gentle writes, which has no such line: word, the word as it was
// found in the dictionary, start and end.
package wordtable
