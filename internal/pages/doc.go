// Package pages holds tests of the written pages of this repository: their links and the files that they name.
package pages
