package tune

import (
	"fmt"

	"github.com/brainwavlm/bwlm/peft"
)

// card returns the adapter's README about its training: the data set and its licence, the
// subjects, and the validation score by which its epoch was chosen. Test scores come later, in
// eval/.
func (t *Trainer) card() peft.Card {
	c := peft.Card{Data: t.Study.Data.Name(), Licence: t.Study.Data.Licence()}
	for _, p := range t.Study.Subjects {
		c.Subjects = append(c.Subjects, p.Name)
	}
	if best := t.Progress.Epochs[t.Progress.Best]; best.Epoch > 0 {
		c.Scores = append(c.Scores, fmt.Sprintf("validation r %.4f after epoch %d, %.4f untuned", best.ValR, best.Epoch,
			t.Progress.Epochs[0].ValR))
	} else {
		c.Scores = append(c.Scores,
			fmt.Sprintf("validation r %.4f untuned, which no epoch was better than: this adapter changes nothing",
				best.ValR))
	}
	return c
}
