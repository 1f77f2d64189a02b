// Package windows cuts audio into windows and reads one vector per window and hidden state. Activations of layers that
// are not trained are computed once, in fixed groups, and cached; the layers above them run in fixed units of windows.
// So neither memory nor a cache changes a bit of a result.
package windows
