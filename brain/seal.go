package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/seal"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// Seal writes down, before the training, what the study will be judged by, with the hashes of its splits and masks. See
// package seal.
func (st *Study) Seal(ctx context.Context, e seal.Endpoints) (*seal.Seal, error) {
	for _, region := range e.Regions {
		for _, p := range st.people {
			if _, err := st.Data.ROI(ctx, region, p.name, p.voxels); err != nil {
				return nil, err
			}
		}
	}
	groups, err := st.groups(ctx)
	if err != nil {
		return nil, err
	}
	s := &seal.Seal{Endpoints: e}
	s.Splits, s.Masks = st.sealed(groups)
	return s, seal.Write(st.Experiment.Out, s)
}

// sealed are the hashes of each person's splits and of the columns of each region.
func (st *Study) sealed(groups []stats.Group) (splits, masks map[string]string) {
	splits, masks = map[string]string{}, map[string]string{}
	for i, p := range st.people {
		parts := map[string][]dataset.Rows{}
		for _, split := range Splits {
			parts[split.String()] = p.parts[split]
		}
		splits[p.name] = seal.Hash(parts)
		for _, g := range groups {
			if g.Columns != nil {
				masks[p.name+"/"+g.Name] = seal.Hash(g.Columns[i])
			}
		}
	}
	return splits, masks
}

// look is called wherever test rows are scored. It counts the look if the study is sealed, and refuses it if what was
// sealed has changed; nil if nothing is sealed.
func (st *Study) look(what string, groups []stats.Group) (*seal.Status, error) {
	if st.Experiment.Out == "" {
		return nil, nil
	}
	l := seal.Look{By: st.opt.Purpose, What: what}
	for _, p := range st.people {
		l.People = append(l.People, p.name)
	}
	splits, masks := st.sealed(groups)
	return seal.Record(st.Experiment.Out, l, splits, masks)
}
