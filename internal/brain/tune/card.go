package tune

import (
	"fmt"

	"github.com/brainwavlm/bwlm/peft"
)

// card is what the adapter's README says of its training: the data set and its licence, the subjects, and the
// validation score of its epoch, an index into those of the run. Test scores come later, in eval/.
func (t *Trainer) card(epoch int) peft.Card {
	c := peft.Card{Data: t.Study.Data.Name(), Licence: t.Study.Data.Licence()}
	for _, p := range t.Study.Subjects {
		c.Subjects = append(c.Subjects, p.Name)
	}
	if e := t.Progress.Epochs[epoch]; e.Epoch > 0 {
		c.Scores = append(c.Scores, fmt.Sprintf("validation r %.4f after epoch %d, %.4f untuned", e.ValR, e.Epoch,
			t.Progress.Epochs[0].ValR))
	} else {
		c.Scores = append(c.Scores, fmt.Sprintf("validation r %.4f untuned, which no epoch was better than: this "+
			"adapter changes nothing", e.ValR))
	}
	return c
}
