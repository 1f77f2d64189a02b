package cortex

// Preset is a named group of regions of Glasser's atlas (HCP-MMP1; Glasser et al. 2016).
type Preset struct {
	Name    string
	Regions []string
	About   string
}

// Presets returns the presets. Their regions are those of Multi-brain-tuning (arXiv 2510.21520,
// supplement); @language is their union without auditory cortex.
func Presets() []Preset {
	presets := []Preset{
		{"auditory", []string{"A1", "PBelt", "MBelt", "LBelt", "RI", "A4"}, "early auditory cortex"},
		{"primary-auditory", []string{"A1"}, "primary auditory cortex"},
		{"AG", []string{"PFm", "PGs", "PGi", "TPOJ2", "TPOJ3"}, "angular gyrus"},
		{"LTC", []string{"STSda", "STSva", "STGa", "TE1a", "TE2a", "TGv", "TGd", "A5", "STSdp", "STSvp", "PSL", "STV",
			"TPOJ1"},
			"lateral temporal cortex"},
		{"IFG", []string{"44", "45", "IFJa", "IFSp"}, "inferior frontal gyrus"},
		{"MFG", []string{"55b"}, "middle frontal gyrus"},
	}
	language := Preset{Name: "language", About: "AG, LTC, IFG and MFG"}
	for _, p := range presets[2:] {
		language.Regions = append(language.Regions, p.Regions...)
	}
	return append(presets, language)
}
