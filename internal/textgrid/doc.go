// Package textgrid reads TextGrids of Praat: the times of words and phones in a recording.
//
// All three text forms are read: long, short and chronological, in UTF-8 or in UTF-16 of either byte order, with or
// without a byte order mark. As in Praat, only free-standing numbers, texts in quotes and flags in angle brackets
// count; everything else, and what follows an exclamation mark, is a comment. The long and the short form are
// then one. Binary TextGrids and the old encodings of Praat (ISO Latin-1, Mac Roman) are refused.
//
// Small gaps and overlaps between intervals are kept as they are, since aligners write them. An interval that
// ends before it begins is refused. Times are seconds of the recording.
package textgrid
