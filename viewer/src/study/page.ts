// The study page: pictures, tools, findings. Owns: what is in sight, what is selected, what keys and buttons do.

import { complain, say } from "../announce";
import * as api from "../api";
import { fill, h } from "../dom";
import type { Place } from "../main";
import { type Shown, applyTo, cellOf, fit, missingCell, open } from "./cells";
import { type Exam, identify, loadExam, loadPriors, locate } from "./exam";
import { banners, heading, models, remarks, ways } from "./facts";
import { type List, findingsList } from "./findings";
import { type Key, helpDialog, listen } from "./keys";
import { type Layout, layoutsOf } from "./layouts";
import type { Display } from "./overlay";
import { type Board, type Pane, type Tool, invert, openBoard, panBy, removeMeasure, resetWindow, zoomBy } from "./panes";
import { stills } from "./stills";
import { type Bar, toolbar } from "./toolbar";

/** A step of the keys. */
const ZOOM_STEP = 1.25;
const PAN_STEP = 40;
const OPACITY_STEP = 0.1;

/** The reader's way of looking stays from study to study. */
const display: Display = { heat: true, opacity: 0.5, outlines: true, boxes: false };

export async function showStudy({ main, session, signal }: Place, uid: string): Promise<void> {
  fill(main, h("p", { class: "empty" }, "Loading …"));
  const exam = await loadExam(uid, signal);
  await locate(exam, signal);
  if (signal.aborted) return;
  const reader = new Reader(main, session, exam, signal);
  await reader.show(0);
  await reader.complete();
}

class Reader {
  private readonly board: Board = openBoard();
  private readonly grid = h("div", { class: "board" });
  private readonly side = h("aside", { class: "side", "aria-label": "Result" });
  private readonly list: List;
  private readonly bar: Bar;
  private layouts: Layout[];
  private at = 0;
  private shown: Shown[] = [];
  private active: Shown | null = null;
  private selected: string | null = null;
  private serial = 0;

  constructor(
    main: HTMLElement,
    private readonly session: api.Session,
    private readonly exam: Exam,
    private readonly signal: AbortSignal,
  ) {
    // Researchers are refused every picture.
    this.layouts = session.role === "researcher" ? [] : layoutsOf(exam, []);
    this.list = findingsList(exam, session.role !== "researcher", { picked: (id) => void this.pick(id), changed: () => this.mark() });
    const keys = this.keys();
    const help = helpDialog(keys);
    this.bar = toolbar(display, {
      tool: (tool) => this.use(tool),
      display: () => this.redisplay(),
      layout: (at) => void this.show(at),
      invert: () => this.each(invert),
      reset: () => this.reset(),
      help: () => help.showModal(),
    });
    keys.push({ keys: ["?"], shown: "?", words: "this list", action: () => help.showModal() });
    fill(main, h("div", { class: "study" }, this.bar.element, h("div", { class: "stage" }, this.grid), this.side), help);
    this.describe();
    listen(keys, signal);
    const watcher = new ResizeObserver(() => this.resized());
    watcher.observe(this.grid);
    signal.addEventListener("abort", () => {
      watcher.disconnect();
      this.board.close();
    });
    this.follow();
  }

  /** The study is shown anew when its result changes. */
  private follow(): void {
    const changed = (event: api.StudyEvent) => {
      if (event.uid !== this.exam.study.study_uid || event.state === this.exam.study.state) return;
      if (event.state === "done" || event.state === "failed") window.dispatchEvent(new HashChangeEvent("hashchange"));
      else say(`This study is ${event.state}.`);
    };
    api.watch(this.signal, changed, () => undefined);
  }

  private describe(): void {
    const { exam } = this;
    fill(this.side, banners(exam), heading(exam), ways(exam, this.session), this.list.element, remarks(exam), models(exam));
  }

  /** What is not needed for the first picture. */
  async complete(): Promise<void> {
    await identify(this.exam, this.signal);
    if (this.signal.aborted) return;
    this.describe();
    if (!this.layouts[0]?.hung) return;
    const priors = await loadPriors(this.exam, this.signal).catch(() => []);
    if (this.signal.aborted || priors.length === 0) return;
    const name = this.layouts[this.at]?.name;
    this.layouts = layoutsOf(this.exam, priors);
    this.at = Math.max(0, this.layouts.findIndex((layout) => layout.name === name));
    this.bar.layouts(this.layouts, this.at);
    say("An earlier exam of this patient is there: key P shows it beside.");
  }

  async show(at: number): Promise<void> {
    const layout = this.layouts[at];
    this.board.remove(this.shown.flatMap((one) => one.pane ?? []));
    [this.shown, this.active, this.at] = [[], null, at];
    this.grid.classList.remove("alone");
    this.bar.layouts(this.layouts, at);
    if (!layout) {
      const isResearcher = this.session.role === "researcher" && this.exam.assessment;
      return fill(this.grid, isResearcher ? stills(this.exam) : h("p", { class: "empty" }, "There is no picture of this study."));
    }
    const told = {
      picked: (id: string) => void this.pick(id),
      focused: (one: Shown) => this.focus(one),
      changed: () => this.mark(),
      enlarged: (one: Shown) => this.enlarge(one),
      drawn: () => performance.mark("picture"),
    };
    const cells = layout.cells.map((cell) => ("missing" in cell ? cell : cellOf(cell, told)));
    this.shown = cells.filter((cell): cell is Shown => !("missing" in cell));
    this.grid.style.setProperty("--columns", String(layout.columns));
    this.grid.style.setProperty("--rows", String(Math.ceil(layout.cells.length / layout.columns)));
    this.grid.classList.toggle("hung", layout.hung);
    fill(this.grid, cells.map((cell) => ("missing" in cell ? missingCell(cell.missing) : cell.element)));
    applyTo(this.shown, display);
    const serial = ++this.serial;
    const opened = this.shown.map(async (one, i) => {
      await open(this.board, one, `pane-${serial}-${i}`, told);
      if (this.signal.aborted) return;
      if (serial === this.serial) fit(layout, this.shown);
      else if (one.pane) this.board.remove([one.pane]);
    });
    await Promise.all(opened);
  }

  private resized(): void {
    const layout = this.layouts[this.at];
    if (!layout || this.signal.aborted) return;
    this.board.resize();
    fit(layout, this.shown);
  }

  private use(tool: Tool): void {
    this.board.use(tool);
    this.bar.tool(tool);
  }

  private redisplay(): void {
    applyTo(this.shown, display);
    this.bar.display();
  }

  private change(change: Partial<Display>): void {
    Object.assign(display, change);
    this.redisplay();
  }

  private focus(one: Shown): void {
    this.active = one;
    for (const other of this.shown) other.element.classList.toggle("active", other === one);
  }

  private enlarge(one: Shown): void {
    const isAlone = this.grid.classList.toggle("alone");
    for (const other of this.shown) other.element.classList.toggle("one", other === one && isAlone);
    this.focus(one);
    this.resized();
  }

  /** The pictures that keys act on: the one in hand, or all. */
  private each(action: (pane: Pane) => void, which: "active" | "all" = "all"): void {
    const some = which === "active" ? [this.active ?? this.shown[0]] : this.shown;
    for (const one of some) if (one?.pane) action(one.pane);
  }

  private reset(): void {
    this.each(resetWindow);
    this.resized();
  }

  private mark(): void {
    const decisions = new Map([...this.exam.reviews].map(([id, review]) => [id, review.decision as string]));
    // An earlier exam has findings of its own, by the same names.
    for (const one of this.shown) {
      const isOwn = one.picture.exam === this.exam;
      const earlier = () => new Map([...one.picture.exam.reviews].map(([id, review]) => [id, review.decision as string]));
      one.overlay.decide(isOwn ? decisions : earlier(), isOwn ? this.selected : null);
    }
  }

  /** Selects a finding and brings its picture into sight. */
  private async pick(id: string | null): Promise<void> {
    this.selected = id;
    this.list.select(id);
    const place = this.list.places.find((one) => one.mark.id === id);
    if (place) {
      const holds = (layout: Layout) =>
        layout.cells.some((cell) => !("missing" in cell) && cell.exam === this.exam && cell.shot?.image === place.shot.image);
      const here = this.layouts[this.at];
      if (!here || !holds(here)) {
        const at = this.layouts.findIndex(holds);
        if (at >= 0) await this.show(at);
      }
      const one = this.shown.find((shown) => shown.picture.exam === this.exam && shown.picture.shot?.image === place.shot.image);
      if (one) this.focus(one);
    }
    this.mark();
  }

  private step(by: number): void {
    const { places } = this.list;
    if (places.length === 0) return;
    const now = places.findIndex((one) => one.mark.id === this.selected);
    const next = now < 0 ? (by > 0 ? 0 : places.length - 1) : (now + by + places.length) % places.length;
    void this.pick(places[next]?.mark.id ?? null);
  }

  private turnPage(by: number): void {
    if (this.layouts.length > 1) void this.show((this.at + by + this.layouts.length) % this.layouts.length).catch(complain);
  }

  private togglePriors(): void {
    const at = this.layouts[this.at]?.priors ? 0 : this.layouts.findIndex((layout) => layout.priors);
    if (at < 0) say("No earlier exam of this patient is known here.");
    else void this.show(at).catch(complain);
  }

  private scroll(by: number): void {
    this.each((pane) => pane.imageIds.length > 1 && pane.viewport.scroll(by), "active");
  }

  private opacity(by: number): void {
    const opacity = Math.min(1, Math.max(0, Math.round(10 * (display.opacity + by)) / 10));
    this.change({ opacity, heat: true });
  }

  private onSelected(action: (id: string) => void): void {
    if (this.selected) action(this.selected);
    else say("No finding is selected: N selects the first.");
  }

  private escape(): void {
    if (this.grid.classList.contains("alone") && this.active) this.enlarge(this.active);
    else void this.pick(null);
  }

  private keys(): Key[] {
    const key = (keys: string, words: string, action: () => void, shown = keys.toUpperCase()): Key => ({
      keys: keys.split(" "),
      shown,
      words,
      action,
    });
    const pan = (x: number, y: number) => () => this.each((pane) => panBy(pane, x, y), "active");
    return [
      key("w", "window with the left button", () => this.use("window")),
      key("v", "move with the left button", () => this.use("pan")),
      key("z", "zoom with the left button", () => this.use("zoom")),
      key("m", "measure with the left button", () => this.use("measure")),
      key("Delete Backspace", "take the last measurement away", () => void removeMeasure(), "Delete"),
      key("h", "heat map on or off", () => this.change({ heat: !display.heat })),
      key("[", "heat map fainter", () => this.opacity(-OPACITY_STEP)),
      key("]", "heat map stronger", () => this.opacity(OPACITY_STEP)),
      key("o", "outlines on or off", () => this.change({ outlines: !display.outlines })),
      key("b", "boxes on or off", () => this.change({ boxes: !display.boxes })),
      key("i", "invert", () => this.each(invert)),
      key("0", "reset window, zoom and place", () => this.reset()),
      key("f Enter", "the picture in hand alone, and back", () => this.active && this.enlarge(this.active), "F, Enter"),
      key("+ =", "zoom in", () => this.each((pane) => zoomBy(pane, ZOOM_STEP), "active"), "+"),
      key("-", "zoom out", () => this.each((pane) => zoomBy(pane, 1 / ZOOM_STEP), "active"), "−"),
      key("ArrowLeft", "move the picture in hand", pan(-PAN_STEP, 0), "← → ↑ ↓"),
      { ...key("ArrowRight", "", pan(PAN_STEP, 0)), shown: "" },
      { ...key("ArrowUp", "", pan(0, -PAN_STEP)), shown: "" },
      { ...key("ArrowDown", "", pan(0, PAN_STEP)), shown: "" },
      key(", PageUp", "the frame before", () => this.scroll(-1), ", Page up"),
      key(". PageDown", "the next frame", () => this.scroll(1), ". Page down"),
      key("n j", "next finding", () => this.step(1), "N"),
      key("k", "finding before", () => this.step(-1)),
      key("a", "accept the selected finding, or take that back", () => this.onSelected((id) => this.list.decide(id, "accepted"))),
      key("r", "reject the selected finding, or take that back", () => this.onSelected((id) => this.list.decide(id, "rejected"))),
      key("c", "comment on the selected finding", () => this.onSelected((id) => this.list.comment(id))),
      key("d", "next page of pictures", () => this.turnPage(1)),
      key("s", "page of pictures before", () => this.turnPage(-1)),
      key("p", "beside the earlier exam, and back", () => this.togglePriors()),
      key("u", "back to the worklist", () => (location.hash = "#/")),
      key("Escape", "let go of what is selected or alone", () => this.escape(), "Esc"),
    ];
  }
}
