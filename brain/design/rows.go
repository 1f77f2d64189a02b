package design

import "fmt"

// Rows is a half-open range of rows of a story. Story is empty where only one story is meant.
type Rows struct {
	Story    string
	From, To int
}

// Len returns the number of rows.
func (r Rows) Len() int { return r.To - r.From }

// String returns the rows as they are written in a split: "alice[10:200]".
func (r Rows) String() string { return fmt.Sprintf("%s[%d:%d]", r.Story, r.From, r.To) }
