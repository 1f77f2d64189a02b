// Package render draws brains: values on the two hemispheres seen from several sides, on flat maps,
// or through a glass brain, with outlines and names of regions and a colour bar; as PNG, or as SVG
// whose text and lines are vectors.
//
// It has an orthographic camera, a depth buffer, smooth shading, supersampling and colour maps.
// Text in PNG is in the Go font. Equal input gives equal bytes.
//
// # How to read a picture
//
// Values are interpolated between vertices. A vertex without a value (NaN: the medial wall, a voxel
// outside the mask) is grey, half way to its neighbours. Light comes from the viewer, so that
// shading shows folds; with sulcal depth, sulci are darker. Shading darkens colours a little, so
// numbers are best read in the middle of gyri. In lateral views the left hemisphere faces the left
// of the page. The ventral view is from below with the front on top, so the left hemisphere is on
// the right of the page; letters mark the sides. Colours saturate beyond the limits, and the colour
// bar then ends in an arrow.
//
// # Colour maps
//
// They are defined in OKLab (Ottosson 2020): lightness is linear in the value for sequential maps
// and symmetric about the middle for diverging ones, so the order remains visible in print without
// colour and to colour-blind readers. Tests check this by simulated dichromacy (Viénot, Brettel,
// Mollon 1999). Diverging maps always have symmetric limits.
package render
