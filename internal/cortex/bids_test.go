package cortex

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDerivativeNames(t *testing.T) {
	for want, d := range map[string]Derivative{
		"sub-01_task-story_hemi-L_space-fsaverage5_stat-r_desc-tuned_statmap.func.gii": {"01", "story", Left,
			"fsaverage5", "r", "tuned", ".func.gii"},
		"sub-UTSS03_task-wheretheressmoke_stat-deltar_statmap.nii.gz": {Subject: "sub-UTS_S03",
			Task: "wheretheres-smoke", Stat: "delta_r", Ext: ".nii.gz"},
		"sub-a_statmap.json":                        {Subject: "a", Ext: ".json"},
		"task-story_stat-r_desc-tuned_statmap.json": {Task: "story", Stat: "r", Desc: "tuned", Ext: ".json"},
	} {
		name, err := d.Name()
		require.NoError(t, err)
		assert.Equal(t, want, name)
	}
	_, err := Derivative{Subject: "sub-_/.."}.Name()
	require.ErrorContains(t, err, "letters or digits")
	assert.Equal(t, "sub-UTSS03/func", Derivative{Subject: "sub-UTS_S03"}.Folder())
	assert.Equal(t, "group", Derivative{}.Folder())
	assert.Equal(t, "sub-/func", Derivative{Subject: "../.."}.Folder(), "no name leads out")
}

func TestDescription(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, NewDescription("alice", "v1").Write(&b))
	assert.JSONEq(t, `{"Name": "alice", "BIDSVersion": "1.10.0", "DatasetType": "derivative",
		"GeneratedBy": [{"Name": "bwlm", "Version": "v1",
			"Description": "encoding scores of a speech model, per voxel"}]}`, b.String())
}

func TestLabelsComeBack(t *testing.T) {
	a := &Atlas{Left: 2, Right: 3, Regions: []Region{{"A1", "L_A1_ROI", Left, false}, {"A1", "R_A1_ROI", Right, false},
		{"V1", "R_V1_ROI", Right, false}},
		Labels: []int32{-1, 0, 2, 1, -1}}
	again, err := ReadAtlas(nil, save(t, a.LabelsGIFTI(Left)), save(t, a.LabelsGIFTI(Right)))
	require.NoError(t, err)
	for c, l := range a.Labels {
		name := "???"
		if l >= 0 {
			name = a.Regions[l].FullName
		}
		assert.Equal(t, name, again.Regions[again.Labels[c]].FullName)
	}
}
