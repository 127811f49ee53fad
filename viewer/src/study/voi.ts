// From stored values to those that are shown. Owns: windows that the exam states, as DICOM PS3.3 C.11.2 defines them. A
// sigmoid is applied to the pixels once; the mouse then works on what it gives.

export interface Voi {
  center: number;
  width: number;
  /** Said beside the picture. */
  words: string;
}

type Gray = Uint8Array | Uint16Array | Int16Array;

/** Values of the sigmoid are spread over 0 to this. */
export const SIGMOID_TOP = 4095;

export function throughSigmoid(pixels: Gray, center: number, width: number, slope: number, intercept: number): Uint16Array {
  const value = (stored: number) => SIGMOID_TOP / (1 + Math.exp((-4 * (stored * slope + intercept - center)) / width));
  return Uint16Array.from(pixels, (stored) => Math.round(value(stored)));
}

/** A window over all values, for images that state none. */
export function fullRange(pixels: Gray, slope: number, intercept: number): Voi {
  let [low, high] = [Infinity, -Infinity];
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const [a, b] = [low * slope + intercept, high * slope + intercept];
  return windowOver(Math.min(a, b), Math.max(a, b), "no window stated: all values");
}

/** The linear window that shows the lowest value black and the highest white. */
export const windowOver = (low: number, high: number, words: string): Voi => ({
  center: (low + high + 1) / 2,
  width: Math.max(1, high - low + 1),
  words,
});
