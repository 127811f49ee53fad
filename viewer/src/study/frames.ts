// Decoded frames from the service. Owns: their addresses, from bytes to numbers. The service has decoded them: there are no
// codecs here. What is neither plain gray nor plain RGB comes as a picture that the service has rendered.

import { Refused, type Instance } from "../api";
import { type Lay, lay, shownSize } from "./lay";
import { type Voi, SIGMOID_TOP, fullRange, throughSigmoid, windowOver } from "./voi";

/** Most pixels of a frame that the page holds. */
const MOST_PIXELS = 1 << 28;

export interface Source {
  study: string;
  instance: Instance;
  /** Counted from 0. */
  frame: number;
  turn: Lay;
  /** Millimeters per stored row and column, where known. */
  spacing: [number, number] | null;
}

/** A frame as it is shown. */
export interface Frame {
  rows: number;
  cols: number;
  /** Gray values, or red, green, blue and opacity in turn. */
  pixels: Uint8Array | Uint16Array | Int16Array;
  color: boolean;
  invert: boolean;
  slope: number;
  intercept: number;
  voi: Voi;
}

const addressOf = ({ study, instance, frame }: Source) =>
  `/dicomweb/studies/${study}/series/${instance.series}/instances/${instance.instance}/frames/${frame + 1}`;

async function get(address: string, accept: string, signal?: AbortSignal): Promise<Response> {
  const response = await fetch(address, { headers: { Accept: accept }, credentials: "same-origin", signal });
  if (!response.ok) throw new Refused(response.status, `The picture could not be had: status ${response.status}.`);
  return response;
}

export async function load(source: Source, signal?: AbortSignal): Promise<Frame> {
  const { instance, turn } = source;
  const { rows, columns: cols } = instance;
  if (!(rows > 0 && cols > 0 && rows * cols <= MOST_PIXELS)) throw new Error(`A picture of ${rows} × ${cols} pixels is not shown.`);
  const isGray = instance.photometric.startsWith("MONOCHROME") && instance.voi;
  const isPlain = instance.photometric === "RGB" && instance.bits === 8;
  if (!isGray && !isPlain) return rendered(source, signal);
  const bytes = await (await get(addressOf(source), "application/octet-stream", signal)).arrayBuffer();
  const expected = rows * cols * (isGray ? 1 : 3) * (instance.bits / 8);
  if (bytes.byteLength < expected) throw new Error(`Expected ${expected} bytes of a picture, got ${bytes.byteLength}.`);
  return isGray ? gray(bytes, instance, turn) : colored(withOpacity(new Uint8Array(bytes), rows * cols), rows, cols, turn);
}

function gray(bytes: ArrayBuffer, instance: Instance, turn: Lay): Frame {
  const { rows, columns: cols } = instance;
  const stored = lay(grayValues(bytes, instance), rows, cols, turn);
  const [shownRows, shownCols] = shownSize(turn, rows, cols);
  const [slope, intercept] = [instance.slope ?? 1, instance.intercept ?? 0];
  const base = { rows: shownRows, cols: shownCols, color: false, invert: instance.photometric === "MONOCHROME1" };
  const { window_center: center, window_width: width, window_function: shape } = instance;
  if (center === null || width === null || !(width > 0)) {
    return { ...base, pixels: stored, slope, intercept, voi: fullRange(stored, slope, intercept) };
  }
  if (shape === "SIGMOID") {
    const pixels = throughSigmoid(stored, center, width, slope, intercept);
    return { ...base, pixels, slope: 1, intercept: 0, voi: windowOver(0, SIGMOID_TOP, "the exam's sigmoid") };
  }
  // An exact window is half a value lower and one narrower than the linear one (PS3.3 C.11.2.1.3.2).
  const exact = shape === "LINEAR_EXACT";
  const voi = { center: center + (exact ? 0.5 : 0), width: width + (exact ? 1 : 0), words: "the exam's window" };
  return { ...base, pixels: stored, slope, intercept, voi };
}

function grayValues(bytes: ArrayBuffer, { rows, columns, bits, signed }: Instance): Uint8Array | Uint16Array | Int16Array {
  const count = rows * columns;
  if (bits === 8) return signed ? Int16Array.from(new Int8Array(bytes, 0, count)) : new Uint8Array(bytes, 0, count);
  return signed ? new Int16Array(bytes, 0, count) : new Uint16Array(bytes, 0, count);
}

function withOpacity(rgb: Uint8Array, count: number): Uint8Array {
  const out = new Uint8Array(count * 4).fill(255);
  for (let i = 0; i < count; i++) for (let s = 0; s < 3; s++) out[4 * i + s] = rgb[3 * i + s] as number;
  return out;
}

function colored(pixels: Uint8Array, rows: number, cols: number, turn: Lay): Frame {
  const [shownRows, shownCols] = shownSize(turn, rows, cols);
  const voi = { center: 128, width: 256, words: "as the service shows it" };
  const laid = lay(pixels, rows, cols, turn, 4);
  return { rows: shownRows, cols: shownCols, pixels: laid, color: true, invert: false, slope: 1, intercept: 0, voi };
}

/** The service knows every color and every look-up table; the browser reads its picture. */
async function rendered(source: Source, signal?: AbortSignal): Promise<Frame> {
  const response = await get(`${addressOf(source)}/rendered`, "image/png", signal);
  const picture = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser gives no canvas.");
  context.drawImage(picture, 0, 0);
  const { data } = context.getImageData(0, 0, picture.width, picture.height);
  return colored(new Uint8Array(data.buffer), picture.height, picture.width, source.turn);
}
