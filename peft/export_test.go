package peft

// What the tests of package peft_test need beside the API.
const WeightsFile = weightsFile

var ReadConfig = readConfigFile

// ScaleOf returns the scale of a layer with LoRA.
func ScaleOf(l *Adapted) float64 { return pair(l).scale }
