// What is laid over a picture: the heat map, outlines, boxes, numbers, the view's letters and a scale. Owns: one SVG per
// viewport, in pixels of the page, moved with the picture.

import type { AssessedImage, Finding, Point, Saliency } from "../assessment";
import { s } from "../dom";
import { scoreWords } from "../words";
import { heatColor, heatCover } from "./colors";
import { type Lay, shownFromStored } from "./lay";

export interface Display {
  heat: boolean;
  opacity: number;
  outlines: boolean;
  boxes: boolean;
}

export interface Mark {
  id: string;
  finding: Finding;
  tag: string;
  words: string;
}

/** Overlay pixels per node of the saliency grid; the browser smooths the rest. */
const FACTOR = 4;
/** Lengths that the scale's bar may have. */
const BARS_MM = [50, 20, 10, 5, 2, 1];
const BAR_SHARE = 0.3;

export interface Overlay {
  svg: SVGSVGElement;
  /** Draws the marks of an image; none where the shown frame has no result. */
  show(image: AssessedImage | null, marks: Mark[]): void;
  move(view: { a: number; d: number; e: number; f: number }, size: { width: number; height: number }): void;
  apply(display: Display): void;
  decide(decisions: Map<string, string>, selected: string | null): void;
}

export function overlayOf(turn: Lay, spacingCol: number | null, barAt: "left" | "right", picked: (id: string) => void): Overlay {
  const moved = s("g");
  const tags = s("g", { class: "tags" });
  const bar = s("g", { class: "scale" });
  const svg = s("svg", { class: "overlay", "aria-hidden": "true" }, moved, tags, bar);
  let shown: { mark: Mark; shape: SVGElement; box: SVGElement; tag: SVGTextElement; at: Point }[] = [];
  return {
    svg,
    show(image, marks) {
      moved.replaceChildren();
      tags.replaceChildren();
      shown = [];
      if (!image) return;
      const map = shownFromStored(turn, image.rows, image.cols);
      const stored = s("g", { transform: matrixOfEdges(map) });
      const heat = heatOf(image.saliency);
      if (heat) stored.append(heat);
      moved.append(stored);
      shown = marks.map((mark) => {
        const shape = s("polygon", { class: `outline ${mark.finding.class}`, points: pointsOf(mark.finding.outline) }, s("title", {}, mark.words));
        const { row, col, rows, cols } = mark.finding.bounds;
        const box = s("rect", { class: `box ${mark.finding.class}`, x: col, y: row, width: cols, height: rows });
        shape.addEventListener("click", () => picked(mark.id));
        stored.append(shape, box);
        const tag = s("text", { class: `tag ${mark.finding.class}`, "text-anchor": "middle" }, mark.tag);
        tags.append(tag);
        return { mark, shape, box, tag, at: topOf(mark.finding, map) };
      });
    },
    move({ a, d, e, f }, { width, height }) {
      moved.setAttribute("transform", `matrix(${a} 0 0 ${d} ${e} ${f})`);
      const taken: Point[] = [];
      for (const { tag, at, mark } of shown) {
        const [y, x] = apart([f + d * at[0] - 5, e + a * at[1]], mark.tag.length, width, taken);
        tag.setAttribute("x", x.toFixed(1));
        tag.setAttribute("y", y.toFixed(1));
      }
      drawBar(bar, barAt, spacingCol === null ? null : a / spacingCol, { width, height });
    },
    apply({ heat, opacity, outlines, boxes }) {
      svg.style.setProperty("--heat", heat ? String(opacity) : "0");
      svg.classList.toggle("no-outlines", !outlines);
      svg.classList.toggle("no-boxes", !boxes);
      svg.classList.toggle("no-tags", !outlines && !boxes);
    },
    decide(decisions, selected) {
      for (const { mark, shape, box, tag } of shown) {
        for (const part of [shape, box, tag]) {
          part.classList.toggle("accepted", decisions.get(mark.id) === "accepted");
          part.classList.toggle("rejected", decisions.get(mark.id) === "rejected");
          part.classList.toggle("selected", mark.id === selected);
        }
        const sign = { accepted: " ✓", rejected: " ✕" }[decisions.get(mark.id) ?? ""] ?? "";
        tag.textContent = mark.tag + sign;
      }
    },
  };
}

/** What stands beside an outline. */
export function tagOf(finding: Finding): string {
  if (finding.lesion) return `${finding.lesion.number} · ${scoreWords(finding.lesion.score_of_100)}`;
  return finding.class === "malignant" ? scoreWords(100 * finding.score) : `benign ${scoreWords(100 * finding.score)}`;
}

/** A map of points that count from the first pixel's center, as SVG's matrix of points that count from the outer corner. */
function matrixOfEdges([r, c]: [[number, number, number], [number, number, number]]): string {
  const edge = (m: [number, number, number]) => m[2] + 0.5 - 0.5 * (m[0] + m[1]);
  return `matrix(${c[1]} ${r[1]} ${c[0]} ${r[0]} ${edge(c)} ${edge(r)})`;
}

const pointsOf = (outline: Point[]) => outline.map(([row, col]) => `${col + 0.5},${row + 0.5}`).join(" ");

/** The middle of an outline's upper edge, from the shown image's outer corner. */
function topOf(finding: Finding, map: [[number, number, number], [number, number, number]]): Point {
  const shown = finding.outline.map(([row, col]): Point => [
    map[0][0] * row + map[0][1] * col + map[0][2] + 0.5,
    map[1][0] * row + map[1][1] * col + map[1][2] + 0.5,
  ]);
  const cols = shown.map((p) => p[1]);
  return [Math.min(...shown.map((p) => p[0])), (Math.min(...cols) + Math.max(...cols)) / 2];
}

/** Height of a tag's letters, and their usual width. */
const LETTER = [15, 7.5] as const;

/** Inside the width, and below the tags that would be covered. */
function apart([y, x]: Point, letters: number, width: number, taken: Point[]): Point {
  const half = (letters * LETTER[1]) / 2 + 4;
  const inside = Math.min(Math.max(x, half), Math.max(half, width - half));
  let row = y;
  const covered = () => taken.find((p) => Math.abs(p[0] - row) < LETTER[0] && Math.abs(p[1] - inside) < 2 * half);
  for (let other = covered(); other; other = covered()) row = other[0] + LETTER[0] + 0.1;
  taken.push([row, inside]);
  return [row, inside];
}

function drawBar(bar: SVGGElement, at: "left" | "right", pixelsPerMm: number | null, size: { width: number; height: number }): void {
  const { width, height } = size;
  const mm = pixelsPerMm && BARS_MM.find((length) => length * pixelsPerMm <= BAR_SHARE * width);
  if (!mm || !pixelsPerMm) return bar.replaceChildren();
  const [y, length] = [height - 10, mm * pixelsPerMm];
  const x = at === "left" ? 8 : width - 8 - length;
  bar.replaceChildren(
    s("path", { d: `M${x},${y - 6}V${y}H${x + length}V${y - 6}` }),
    s("text", { x: at === "left" ? x + length + 6 : x - 6, y, "text-anchor": at === "left" ? "start" : "end" }, `${mm} mm`),
  );
}

function valueAt(map: Saliency, row: number, col: number): number {
  const at = (r: number, c: number) => {
    const y = Math.min(map.rows - 1, Math.max(0, r));
    const x = Math.min(map.cols - 1, Math.max(0, c));
    return map.malignant[y * map.cols + x] ?? 0;
  };
  const [r, c] = [Math.floor(row), Math.floor(col)];
  const [dr, dc] = [row - r, col - c];
  const upper = at(r, c) * (1 - dc) + at(r, c + 1) * dc;
  return upper * (1 - dr) + (at(r + 1, c) * (1 - dc) + at(r + 1, c + 1) * dc) * dr;
}

/** Color and cover of 256 steps of saliency. */
const SCALE = Array.from({ length: 256 }, (_, i) => [...heatColor(i / 255), Math.round(255 * heatCover(i / 255))]);

/** The malignant map in color, its edges the grid's outer edges. */
function heatOf(map: Saliency): SVGImageElement | null {
  const [rows, cols] = [map.rows * FACTOR, map.cols * FACTOR];
  if (!(rows > 0 && cols > 0 && rows * cols <= 1 << 24)) return null;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [cols, rows];
  const context = canvas.getContext("2d");
  if (!context) return null;
  const picture = context.createImageData(cols, rows);
  const node = (at: number) => (at + 0.5) / FACTOR - 0.5;
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      const value = Math.round(255 * valueAt(map, node(row), node(col)));
      picture.data.set(SCALE[value] ?? [0, 0, 0, 0], 4 * (row * cols + col));
    }
  }
  context.putImageData(picture, 0, 0);
  return s("image", {
    class: "heat",
    href: canvas.toDataURL(),
    width: map.cols,
    height: map.rows,
    preserveAspectRatio: "none",
    transform: matrixOfEdges(map.image_from_grid),
  });
}
