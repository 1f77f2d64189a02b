// Package ui prints notes, warnings and progress on standard error, and tables for answers in text.
//
// On a terminal, progress is a bar that is redrawn in place, never wider than the terminal.
// Everywhere else (a file, a pipe, TERM=dumb) it is one plain line every twenty seconds, so that a
// log of a night's run stays readable. Nothing is coloured, as NO_COLOR demands, and only ASCII is
// drawn, which LANG=C can show.
package ui
