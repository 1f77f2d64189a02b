// Package words holds a test that keeps retired words out of code, help texts and pages, and lines
// of Go at 120 columns. Each retired word has a successor in docs/glossary.md or docs/keys.md.
package words
