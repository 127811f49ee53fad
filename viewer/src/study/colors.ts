// The color scale of heat maps, the same as that of the reports (crate `report`, `color_map.rs`): lightness rises all the
// way, so that the order survives in gray and for color-blind eyes. Ottosson, "A perceptual color space for image
// processing" (2020).

export type Color = [red: number, green: number, blue: number];

/** Color of a value in 0..=1. */
export function heatColor(value: number): Color {
  const v = Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  const lightness = 0.3 + 0.63 * v;
  const hue = ((305 + 160 * v) * Math.PI) / 180;
  const chroma = 0.13 + 0.06 * Math.sin(Math.PI * v);
  return linearFromOklab(lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)).map(encode) as Color;
}

function linearFromOklab(l: number, a: number, b: number): Color {
  const long = (l + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (l - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (l - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short,
  ];
}

function encode(linear: number): number {
  const v = Math.min(1, Math.max(0, linear));
  const curved = v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
  return Math.round(curved * 255);
}

/** How strongly the scale covers what is below it: nothing under 0.05, all from 0.5. */
export function heatCover(value: number): number {
  const t = Math.min(1, Math.max(0, (value - 0.05) / 0.45));
  return t * t * (3 - 2 * t);
}
