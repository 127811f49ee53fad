// One place of the screen: a picture with what is laid over it and what is written in its corners. Owns: the joining of
// picture, overlay and words, and how a picture is fitted in.

import { complain } from "../announce";
import { h } from "../dom";
import { dateWords, percent, scoreWords } from "../words";
import { type Picture, marksOf, resultAt } from "./exam";
import { commonHeight, hungOf, middleOf } from "./hanging";
import { isMirrored, shownSize } from "./lay";
import type { Layout } from "./layouts";
import { type Display, type Overlay, overlayOf } from "./overlay";
import { type Board, type Pane, type Placement, EVENTS, frameOf, imageIdOf, place, viewOf, windowOf } from "./panes";

/** Free space around a picture that is shown whole. */
const MARGIN = 1.02;

/** A picture on the screen. */
export interface Shown {
  picture: Picture;
  element: HTMLDivElement;
  pane: Pane | null;
  overlay: Overlay;
  /** Finding by finding of the frame that is in sight. */
  ids: string[];
}

interface Told {
  picked(id: string): void;
  focused(shown: Shown): void;
  changed(shown: Shown): void;
  enlarged(shown: Shown): void;
  drawn(): void;
}

/** A place without a picture. */
export const missingCell = (view: string): HTMLElement =>
  h("div", { class: "cell missing" }, h("p", {}, h("b", {}, view), "not in this exam"));

export function cellOf(picture: Picture, told: Told): Shown {
  const [, spacingCol] = picture.spacing ? shownSize(picture.turn, ...picture.spacing) : [null, null];
  // On the nipple's side, where the breast is not.
  const barSide = picture.letters && picture.chest === "right" ? "left" : "right";
  const overlay = overlayOf(picture.turn, spacingCol, barSide, told.picked);
  const element = h("div", { class: `cell ${picture.chest}`, tabindex: "0", role: "group", "aria-label": labelOf(picture) });
  const shown: Shown = { picture, element, pane: null, overlay, ids: [] };
  element.addEventListener("focus", () => told.focused(shown));
  element.addEventListener("pointerdown", () => told.focused(shown));
  element.addEventListener("dblclick", () => told.enlarged(shown));
  element.addEventListener("contextmenu", (event) => event.preventDefault());
  return shown;
}

function labelOf(picture: Picture): string {
  const findings = picture.shot?.image.findings.length ?? 0;
  const which = picture.shot ? `, ${findings} outlined region${findings === 1 ? "" : "s"}` : "";
  return `${picture.title}${which}`;
}

/** Puts the picture into its place; what cannot be shown says why. */
export async function open(board: Board, shown: Shown, id: string, told: Told): Promise<void> {
  const { picture, element, overlay } = shown;
  const { instance, turn, spacing } = picture;
  const study = picture.exam.study.study_uid;
  const imageIds = Array.from({ length: instance.frames }, (_, frame) => imageIdOf({ study, instance, frame, turn, spacing }));
  const corners = cornersOf(picture);
  // Cornerstone fills an element of its own, so that what it draws lies under what is laid over it.
  const canvas = h("div", { class: "canvas" });
  element.append(canvas, overlay.svg, ...Object.values(corners));
  const draw = () => {
    const pane = shown.pane;
    const view = pane && viewOf(pane);
    if (!pane || !view) return;
    overlay.move(view, { width: canvas.clientWidth, height: canvas.clientHeight });
    const [values, words] = windowWords(pane);
    corners.window.children[0]!.textContent = values;
    corners.window.children[1]!.textContent = words;
  };
  const renew = () => {
    const frame = shown.pane?.viewport.getCurrentImageIdIndex() ?? picture.frame;
    const result = resultAt(picture, frame);
    const marks = result ? marksOf(result, result.image) : [];
    overlay.show(result?.image ?? null, marks);
    shown.ids = marks.map((mark) => mark.id);
    corners.mark.children[0]!.textContent = frameWords(picture, frame, result !== null);
    told.changed(shown);
    draw();
  };
  for (const name of [EVENTS.IMAGE_RENDERED, EVENTS.CAMERA_MODIFIED, EVENTS.VOI_MODIFIED]) canvas.addEventListener(name, draw);
  canvas.addEventListener(EVENTS.STACK_NEW_IMAGE, () => shown.pane && queueMicrotask(renew));
  try {
    shown.pane = await board.add(canvas, id, imageIds, picture.frame);
    renew();
    const once = () => {
      element.dataset.ready = "true";
      told.drawn();
    };
    canvas.addEventListener(EVENTS.IMAGE_RENDERED, once, { once: true });
  } catch (error) {
    // The reader has gone on before the picture came.
    if (!element.isConnected) return;
    element.append(h("p", { class: "unshown" }, error instanceof Error ? error.message : "This picture cannot be shown."));
    complain(error);
  }
}

function cornersOf(picture: Picture) {
  const { shot } = picture;
  const letters = h("p", { class: "corner letters" }, picture.title);
  if (picture.earlier) letters.append(h("span", { class: "earlier" }, `earlier ${dateWords(picture.earlier)}`));
  const notes = h("p", { class: "corner notes" });
  if (shot) {
    const { malignant } = shot.image.probabilities ?? shot.image.scores;
    if (!shot.image.mammogram) notes.append(`attention ${percent(shot.image.attention)} · `);
    notes.append(`score ${scoreWords(100 * malignant)}`);
    if (shot.image.mammogram && !shot.image.mammogram.upper_side) notes.append(" · upper end not stated: as stored");
  } else notes.append("not read");
  if (picture.letters && isMirrored(picture.turn)) notes.append(" · mirrored to hang like the others");
  const mark = h("p", { class: "corner mark" }, h("span"), picture.exam.synthetic && h("span", { class: "synthetic" }, "SYNTHETIC"));
  return { letters, notes, window: h("p", { class: "corner window" }, h("span"), h("span", { class: "words" })), mark };
}

function windowWords(pane: Pane): [values: string, words: string] {
  const [window, frame] = [windowOf(pane), frameOf(pane.viewport.getCurrentImageId())];
  if (!window || !frame) return ["", ""];
  const isOwn = Math.abs(window.center - frame.voi.center) < 0.6 && Math.abs(window.width - frame.voi.width) < 0.6;
  return [`C ${window.center.toFixed(0)} W ${window.width.toFixed(0)}`, isOwn ? ` · ${frame.voi.words}` : ""];
}

function frameWords(picture: Picture, frame: number, hasResult: boolean): string {
  if (picture.instance.frames < 2) return "";
  return `frame ${frame + 1} of ${picture.instance.frames}${hasResult ? "" : ", not read"}`;
}

/** Places all pictures of a layout anew: hung ones at one scale, the others as large as they fit. */
export function fit(layout: Layout, all: Shown[]): void {
  const hangs = ({ picture, element }: Shown) => layout.hung && picture.letters !== null && !element.classList.contains("one");
  const hung = all.filter((shown) => shown.pane && hangs(shown)).map((shown) => shown.picture);
  const inMillimeters = hung.every((picture) => picture.spacing);
  const sizes = hung.map((picture) => hungOf(picture, inMillimeters));
  for (const shown of all) {
    if (!shown.pane) continue;
    const { clientWidth: width, clientHeight: height } = shown.pane.element;
    if (width === 0 || height === 0) continue;
    if (hangs(shown)) {
      const own = hungOf(shown.picture, inMillimeters);
      const tall = commonHeight(sizes, width, height);
      place(shown.pane, { ...middleOf(own, shown.picture.chest, tall, width, height), shownRows: tall / own.unit[0] });
    } else place(shown.pane, whole(shown.picture, width, height));
  }
}

/** The window that was read, or the whole picture, as large as it fits. */
function whole(picture: Picture, width: number, height: number): Placement {
  const { window, unit } = hungOf(picture, picture.spacing !== null);
  const tall = MARGIN * Math.max(window.rows * unit[0], (window.cols * unit[1] * height) / width);
  return { row: window.row + window.rows / 2, col: window.col + window.cols / 2, shownRows: tall / unit[0] };
}

export function applyTo(all: Shown[], display: Display): void {
  for (const shown of all) shown.overlay.apply(display);
}
