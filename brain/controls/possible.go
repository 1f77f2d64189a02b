package controls

import (
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
)

// why returns the reason why a control cannot be run, or "" if it can.
func (c *runner) why(name string) (string, error) {
	mode := c.study.Experiment.Train.Mode
	switch name {
	case "tuned":
		if mode == experiment.TrainReadout {
			return "the run tuned readouts only", nil
		}
	case "random_adapter":
		if mode != experiment.TrainLoRA {
			return "the run has no adapter", nil
		}
	case "motion":
		for _, p := range c.study.SubjectNames() {
			for _, story := range c.study.Data.StoriesOf(p) {
				if stories, _ := c.study.StoryRows(); slices.Contains(stories, story) &&
					!c.study.Data.HasMotion(p, story) {
					return fmt.Sprintf("the data set has no motion of %s in story %s", p, story), nil
				}
			}
		}
	case "shuffled", "phase_randomised", "stimulus":
		return c.tunes()
	case "wrong_story":
		for _, p := range c.study.SubjectNames() {
			if len(c.tuningStories(p)) < 2 {
				return fmt.Sprintf("%s has one story in training and validation, so there is no other story", p), nil
			}
		}
		return c.tunes()
	case "other_subject":
		if len(c.others()) == 0 {
			return "all subjects of the data set with all stories are in the experiment", nil
		}
		return c.tunes()
	case "word_rate", "word_rate_position", "word_vectors":
		if story, err := storyWithoutWords(c.study); story != "" || err != nil {
			return fmt.Sprintf("story %s has no words", story), err
		}
		if name == "word_vectors" && c.opt.Glove == "" {
			return "no word vectors were given", nil
		}
	}
	if name == "word_vectors" {
		return c.tunes()
	}
	return "", nil
}

// tunes returns the reason why nothing can be tuned, or "".
func (c *runner) tunes() (string, error) {
	if c.study.Experiment.Train.Mode == experiment.TrainReadout {
		return "the run tuned readouts only", nil
	}
	return "", nil
}
