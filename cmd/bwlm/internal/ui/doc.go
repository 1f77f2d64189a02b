// Package ui prints what a command says beside its answer: notes, warnings and progress on standard error, and tables for
// answers that people read.
//
// On a terminal, progress is a bar that is redrawn in place, never wider than the terminal. Everywhere else (a file, a
// pipe, TERM=dumb) it is one plain line every twenty seconds, so that a log of a night's run stays readable. Nothing is
// ever coloured, which is what NO_COLOR asks for, and only ASCII is drawn, which is all that LANG=C can show.
package ui
