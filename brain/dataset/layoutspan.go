package dataset

import "go.yaml.in/yaml/v3"

// span reads where rows begin and end. First may be absent.
func (l *layout) span(path string, n *yaml.Node, to *RowSpan) error {
	err := l.fields(path, n, layoutKeys["stories/STORY/rows"], func(name, path string, v *yaml.Node) error {
		if name == "first" {
			return l.number(path, v, &to.First)
		}
		return l.number(path, v, &to.Last)
	})
	if err == nil && l.at[path+"/last"] == nil {
		return l.fail(n, "%s needs last: the second of the audio at which the last row ends", path)
	}
	return err
}

// assignSpans completes what says where rows begin: the first_tr_seconds of a story is the first of its rows,
// and of those of its responses, if only one of them is there.
func (l *layout) assignSpans() {
	first := map[string]float64{}
	for i := range l.spec.Stories {
		s := &l.spec.Stories[i]
		where := key("stories", s.Name)
		if s.Rows != nil && l.at[key(where, "rows", "first")] == nil {
			s.Rows.First = s.First
		}
		if s.Rows != nil && l.at[key(where, "first_tr_seconds")] == nil {
			s.First = s.Rows.First
		}
		first[s.Name] = s.First
	}
	assign := func(at string, responses []Response) {
		for i, r := range responses {
			own := first[r.Story]
			if r.First != nil {
				own = *r.First
			}
			if r.Rows != nil && l.at[key(at, r.Story, "rows", "first")] == nil {
				r.Rows.First = own
			}
			if r.Rows != nil && r.First == nil && r.Rows.First != own {
				responses[i].First = &r.Rows.First
			}
		}
	}
	for _, s := range l.spec.Subjects {
		assign(key("subjects", s.Name), s.Responses)
	}
	for _, s := range l.spec.Derived {
		assign(key("derived", s.Name, "responses"), s.Responses)
	}
}

// responseFile reads a file of responses together with the name of the array in it, and where its rows begin and end.
func (l *layout) responseFile(path string, n *yaml.Node, file, array *string, r *Response) error {
	err := l.fields(path, n, layoutKeys["subjects/SUBJECT/STORY"], func(name, path string, v *yaml.Node) error {
		switch name {
		case "file":
			return l.text(path, v, file)
		case "array":
			return l.text(path, v, array)
		case "first_tr_seconds":
			r.First = new(float64)
			return l.number(path, v, r.First)
		}
		r.Rows = &RowSpan{}
		return l.span(path, v, r.Rows)
	})
	if err == nil && l.at[path+"/file"] == nil {
		return l.fail(n, "%s needs file", path)
	}
	return err
}
