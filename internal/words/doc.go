// Package words holds a test that keeps retired words out of code, help texts and pages. Each has a successor in
// docs/glossary.md or docs/keys.md.
package words
