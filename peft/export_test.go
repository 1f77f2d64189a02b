package peft

// ScaleOf is the scale of a layer with LoRA.
func ScaleOf(l *Adapted) float64 { return pair(l).scale }
