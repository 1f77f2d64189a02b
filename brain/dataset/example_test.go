package dataset_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// A data set in memory: one subject, one story of 20 s, two voxels.
func ExampleNew() {
	responses := make([]float32, 10*2)
	for k := range 10 {
		responses[2*k], responses[2*k+1] = float32(k%3)-1, float32(k%2)
	}
	data, err := dataset.New(dataset.Spec{
		Name:    "toy",
		TR:      2,
		RowTime: .5,
		Stories: []dataset.Story{{Name: "hello", Audio: dataset.Value(make([]float32, 20*dataset.SampleRate))}},
		Subjects: []dataset.Subject{{Name: "sub-01", Responses: []dataset.Response{
			{Story: "hello", Matrix: dataset.Value(dataset.NewMatrix(10, 2, responses))},
		}}},
		ROIs: []dataset.ROI{{Name: "auditory", Region: dataset.Value(dataset.Region{Columns: []int{1}})}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	read, err := data.ReadResponses(ctx, "sub-01", "hello")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.Rows, "rows,", read.Voxels, "voxels")
	columns, _ := data.ROI(ctx, "auditory", "sub-01", 2)
	fmt.Println("auditory:", columns)
	// Output:
	// 10 rows, 2 voxels
	// auditory: [1]
}

func ExampleParseSplit() {
	parts, _ := dataset.ParseSplit([]string{"wheretheressmoke", "alice[10:200]"})
	for _, p := range parts {
		fmt.Println(p, p.Whole, p.From, p.To)
	}
	// Output:
	// wheretheressmoke true 0 0
	// alice[10:200] false 10 200
}
