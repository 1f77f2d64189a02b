package dataset

import "math/rand/v2"

// noise is a matrix of which every voxel varies about 0.
func noise(rows, voxels int) *Matrix {
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(voxels)))
	m := NewMatrix(rows, voxels, make([]float32, rows*voxels))
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64())
	}
	return m
}

// two is a data set of stories of 60 and 90 s, TR 2: 30 and 45 rows, of which the first begins at
// 0.
func two(a, b *Matrix) Spec {
	return Spec{Name: "two", TR: 2,
		Stories: []Story{
			{Name: "a", Audio: Value(make([]float32, 60*SampleRate)), Words: Value([]Word{{1, 2, "hi"}})},
			{Name: "b", Audio: Value(make([]float32, 90*SampleRate))},
		},
		Subjects: []Subject{{Name: "s1", Responses: []Response{{Story: "a", Matrix: Value(a)},
			{Story: "b", Matrix: Value(b)}}}},
	}
}
