package sim

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"path"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
)

//go:embed lexicon/*.flac lexicon/*.json
var lexiconFiles embed.FS

// Role is the kind of stories that a voice speaks.
type role string

// The roles.
const (
	roleTune  role = "tune"  // tuning and validation stories; the nano model was trained on these voices too
	roleTest  role = "test"  // test stories alone
	roleProbe role = "probe" // probe stories alone
)

// Lexicon holds the spoken words with their phones and components.
type Lexicon struct {
	Words   []string
	Phones  [][]string  // of each word, in the accent of en-us
	Planted [][]float64 // (words, 3) components that drive semantic voxels; mean 0 and SD 1 over the words
	Control [][]float64 // (words, 3) further components of the same vectors, which drive the unrelated subject
	voices  []voice
}

// Voice is one way of speaking all words.
type voice struct {
	Name  string
	Role  role
	Sound [][]float32 // of each word, 16 kHz; the loudest sample of a voice is 1
}

// LoadLexicon decodes the embedded lexicon.
func LoadLexicon() (*Lexicon, error) {
	var index struct {
		Words  []string
		Phones [][]string
		Voices []struct {
			Name   string
			Role   role
			Starts []int // sample at which each word begins, and the end
		}
	}
	var vectors struct{ Planted, Control [][]float64 }
	if err := readJSON("index.json", &index); err != nil {
		return nil, err
	}
	if err := readJSON("components.json", &vectors); err != nil {
		return nil, err
	}
	lex := &Lexicon{Words: index.Words, Phones: index.Phones, Planted: vectors.Planted, Control: vectors.Control}
	for _, v := range index.Voices {
		file := path.Join("lexicon", v.Name+".flac")
		flac, err := lexiconFiles.ReadFile(file)
		if err != nil {
			return nil, fault.Wrap(fault.Internal, "load lexicon", file, err)
		}
		clip, err := audio.Decode(context.Background(), file, bytes.NewReader(flac), int64(len(flac)), audio.Options{})
		if err != nil {
			return nil, err
		}
		scale(clip.Samples, 1/peak(clip.Samples))
		voice := voice{Name: v.Name, Role: v.Role}
		for w := range index.Words {
			voice.Sound = append(voice.Sound, clip.Samples[v.Starts[w]:v.Starts[w+1]])
		}
		lex.voices = append(lex.voices, voice)
	}
	return lex, nil
}

// voicesOf returns the voices of a role.
func (l *Lexicon) voicesOf(role role) []voice {
	var voices []voice
	for _, v := range l.voices {
		if v.Role == role {
			voices = append(voices, v)
		}
	}
	return voices
}

func readJSON(name string, into any) error {
	file := path.Join("lexicon", name)
	text, err := lexiconFiles.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fault.Wrap(fault.Internal, "load lexicon", file, err)
	}
	return nil
}

// peak returns the largest magnitude in x.
func peak(x []float32) (most float32) {
	for _, v := range x {
		most = max(most, v, -v)
	}
	return most
}

func scale(x []float32, by float32) {
	for i := range x {
		x[i] *= by
	}
}
