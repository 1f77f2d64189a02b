// Package render draws brains: values on the two hemispheres seen from several sides, on flat maps, or through a glass
// brain, with outlines and names of regions and a colour bar; as PNG, or as SVG whose text and lines are vectors.
//
// Everything is computed here: an orthographic camera, a depth buffer, smooth shading, supersampling, colour maps, and a
// font of strokes for PNG. Equal input gives equal bytes.
//
// # How to read a picture
//
// Values are interpolated between vertices; a vertex without a value (NaN: the medial wall, a voxel left out) is grey, as
// far as half way to its neighbours. Light falls from the viewer, so that shading shows folds; if sulcal depth is given,
// sulci are darker. Shading darkens colours a little: read numbers off the middle of gyri. Lateral views face outward (the
// left hemisphere looks to the left of the page), and in the ventral view, which looks up from below with the front on top,
// the left hemisphere is on the right of the page; letters say so. Colours saturate beyond the limits, and the colour bar
// ends in an arrow where some value does.
//
// # Colour maps
//
// They are built in OKLab (Ottosson 2020): lightness is linear in the value for sequential maps and symmetric about the
// middle for diverging ones, so order survives in print without colour and for colour-blind readers, which tests check by
// simulated dichromacy (Viénot, Brettel, Mollon 1999). Diverging maps always have symmetric limits.
package render
