// Package outlines reads regions that were drawn on a flat map of the cortex, and says which vertices lie in them. The
// file is pycortex's overlays.svg, drawn in Inkscape: a layer "rois", in it a layer "shapes", in it a group for each
// region, in it paths.
//
// Paths are those of SVG 1.1 with all commands (M L H V C S Q T A Z, absolute and relative) and with the transforms of
// the groups around them. The flat map fills the page, as in pycortex: the vertices' extent is scaled to the width and
// height of the drawing, upside down.
//
// A vertex is in a region if it is inside of one of its closed lines by the even-odd rule, as in pycortex, which asks
// matplotlib. So two lines of one path add up: a ring drawn as two circles is a disc.
//
// # Caveats
//
// pycortex reads paths in the form of Inkscape only, passes over transforms, starts a relative line after a closed one
// where the pen last was and not where that line began, and lets h, v, H and V stand only for lines from an axis. Where
// a drawing has those, regions here are as they look in Inkscape. matplotlib replaces curves by lines that are up to
// a fifth of a unit of the drawing away; here it is a hundredth. A unit is about 0.3 mm on a usual flat map.
package outlines
