package imports

import (
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/wordtable"
)

// op is the operation of errors.
const op = "import data"

// FileName is the name of the description.
const FileName = "dataset.yaml"

// Found is a data set that was found in files. Paths are absolute.
type Found struct {
	Schema   int       `json:"schema"`
	Kind     string    `json:"kind"` // of the source
	Source   string    `json:"source"`
	Name     string    `json:"name"`
	Licence  string    `json:"licence,omitempty"`
	Citation string    `json:"citation,omitempty"`
	Version  string    `json:"version,omitempty"` // of the source, as it names it
	TR       float64   `json:"tr_seconds"`
	RowTime  float64   `json:"row_time"`
	Trimmed  bool      `json:"trimmed"` // rows at both ends were cut before the responses were stored
	ZScored  bool      `json:"zscored"` // by story and voxel
	Stories  []Story   `json:"stories"`
	Subjects []Subject `json:"subjects"`
	Splits   Splits    `json:"splits,omitzero"`
	Guessed  []string  `json:"guessed"`
	LeftOut  []LeftOut `json:"left_out"`
	Notes    []string  `json:"notes"`   // differences of rows and audio that are usual, and what else is to be known
	Missing  []File    `json:"missing"` // content that is needed and not there

	// Trim is data.trim of the experiment file; nil: [0, 0] if the responses are trimmed, else what is usual.
	Trim *[2]int `json:"trim,omitempty"`

	Shared []SharedAudio `json:"shared_audio,omitempty"` // most first; known when it was imported

	opened []*Archive
}

// Story is a recording with what belongs to it.
type Story struct {
	Name    string  `json:"name"`
	Audio   string  `json:"audio"`
	Words   string  `json:"words,omitempty"`  // a table of words or a TextGrid
	Phones  string  `json:"phones,omitempty"` // a table of phones or a TextGrid
	First   float64 `json:"first_tr_seconds"` // second of the audio at which row 0 begins
	Span    *Span   `json:"rows,omitempty"`   // where the rows begin and end, if not with the audio
	SameAs  string  `json:"same_as,omitempty"`
	SameRow int     `json:"same_as_row,omitempty"` // row of SameAs that is row 0

	// ReadWords reads the words where Words is no table of this story alone, in seconds of its recording; or nil.
	ReadWords func() ([]wordtable.Word, error) `json:"-"`
}

// Span is a stretch of a recording in seconds: from the beginning of the first row to the end of the last.
type Span struct {
	First float64 `json:"first"`
	Last  float64 `json:"last"`
}

// Subject is a subject with the responses to each story.
type Subject struct {
	Name      string     `json:"name"`
	Mask      *Mask      `json:"mask,omitempty"`
	Surface   *Surface   `json:"surface,omitempty"`
	ROIs      []ROI      `json:"rois,omitempty"`
	Responses []Response `json:"responses"`

	Selection *Selection `json:"selection,omitempty"` // nil: all columns

	// KeepNaN keeps voxels without a number in all rows of a story, as in a space that subjects share.
	KeepNaN bool `json:"keep_nan,omitempty"`
}

// Mask is a volume whose voxels are the columns.
type Mask struct {
	File   string `json:"file"`
	XFirst bool   `json:"x_fastest"` // of the columns, as pycortex has them; else z runs fastest
	Voxels int    `json:"voxels"`
	SHA256 string `json:"sha256,omitempty"` // of File, which Import computes

	Affine [3][4]float64 `json:"affine"` // from voxel indices to millimetres

	// Make writes the mask where there is no File; it becomes mask.nii.gz in the folder of the subject.
	Make func(path string) error `json:"-"`
}

// Surface is two meshes whose vertices are the columns, left then right.
type Surface struct {
	Left  string `json:"left"`
	Right string `json:"right"`

	// Vertices are those of the columns, counted left then right; nil: column k is vertex k.
	Vertices []int `json:"-"`
}

// ROI is a region of interest: columns of the responses as the source has them.
type ROI struct {
	Name    string `json:"name"`
	From    string `json:"from,omitempty"` // what it was made of
	Columns []int  `json:"-"`
}

// Response is the responses to a story.
type Response struct {
	Story  string        `json:"story"`
	File   string        `json:"file"`            // the one that they are in, or the first
	Array  string        `json:"array,omitempty"` // in it
	Shape  []int         `json:"shape"`           // (rows, voxels) or (repeats, rows, voxels), as they are written
	DType  elements.Kind `json:"dtype,omitempty"` // in the file
	Offset int64         `json:"offset"`          // of the elements in the file; -1 if they are compressed or computed

	First   *float64 `json:"first_tr_seconds,omitempty"` // instead of that of the story
	Span    *Span    `json:"rows,omitempty"`             // instead of that of the story
	Derived string   `json:"derived,omitempty"`          // how rows and clock were derived, in one line
	Treated string   `json:"treated,omitempty"`          // what was done to the numbers, and in which columns
	Dropped [2]int   `json:"dropped_rows"`               // at both ends of what the file has
	Sources []File   `json:"sources,omitempty"`          // all files that they are made from; nil: File
	InPlace bool     `json:"in_place"`                   // can be read where it is

	Open   Opener  `json:"-"` // reads them; nil: they can only be named in place
	Motion *Motion `json:"motion,omitempty"`
}

// Motion is the motion of the head during a story: a table in a file with the rows of the responses, or Open, which
// reads (rows, columns).
type Motion struct {
	File    string   `json:"file,omitempty"`
	Columns []string `json:"columns,omitempty"`
	Shape   []int    `json:"shape,omitempty"` // of what Open reads
	Open    Opener   `json:"-"`
}

// Splits are the stories of an experiment.
type Splits struct {
	Train   []string `json:"train,omitempty"`
	Val     []string `json:"val,omitempty"`
	Test    []string `json:"test,omitempty"`
	Comment []string `json:"comment,omitempty"` // lines on why
}

// LeftOut is a file that is not in the description.
type LeftOut struct {
	File string `json:"file"` // relative to the source
	Why  string `json:"why"`
}

// Extent returns repeats, rows and voxels: the shape of the responses.
func (r *Response) Extent() (repeats, rows, voxels int) {
	switch s := r.Shape; len(s) {
	case 2:
		return 1, s[0], s[1]
	case 3:
		return s[0], s[1], s[2]
	}
	return 0, 0, 0
}

// sources are the files that the responses are made from.
func (r *Response) sources() ([]File, error) {
	if r.Sources != nil {
		return r.Sources, nil
	}
	f, err := fileAt(r.File)
	return []File{f}, err
}
