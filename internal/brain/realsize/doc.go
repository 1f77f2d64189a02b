// Package realsize has tests of a study as large as a whole laboratory's, and of a small one of the same make.
package realsize
