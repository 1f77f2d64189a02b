// Package annex reads what git-annex and Git LFS leave in the place of content: links and pointers, whose texts name
// the size of the content and its digest.
//
// Only what links and pointers say is known. A file that git-annex manages as a plain file (an unlocked one) has its
// key in git alone, so that [Of] finds none. Digests of other kinds than MD5 and SHA are not compared.
package annex
