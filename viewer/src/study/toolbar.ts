// The buttons above the pictures.

import { fill, h } from "../dom";
import type { Layout } from "./layouts";
import type { Display } from "./overlay";
import type { Tool } from "./panes";

export interface Bar {
  element: HTMLElement;
  tool(tool: Tool): void;
  /** Shows the state of what is laid over the pictures. */
  display(): void;
  layouts(all: Layout[], at: number): void;
}

interface Told {
  tool(tool: Tool): void;
  display(): void;
  layout(at: number): void;
  invert(): void;
  reset(): void;
  help(): void;
}

const TOOLS: [Tool, string, string][] = [
  ["window", "Window", "W"],
  ["pan", "Move", "V"],
  ["zoom", "Zoom", "Z"],
  ["measure", "Measure", "M"],
];

/** More pages than this are chosen from a list. */
const MOST_BUTTONS = 3;

function pageButton(layout: Layout, i: number, at: number, told: Told): HTMLElement {
  const onclick = () => told.layout(i);
  return h("button", { type: "button", "aria-pressed": String(i === at), onclick }, layout.name);
}

function choice(all: Layout[], at: number, told: Told): HTMLElement {
  const select = h("select", { "aria-label": "Page of pictures" }, all.map((one, i) => h("option", { value: i }, one.name)));
  select.value = String(at);
  select.addEventListener("change", () => told.layout(Number(select.value)));
  return select;
}

export function toolbar(display: Display, told: Told): Bar {
  const button = (text: string, key: string, onclick: () => void) =>
    h("button", { type: "button", onclick, title: `${text} (${key})`, "aria-keyshortcuts": key }, text);
  const tools = TOOLS.map(([tool, text, key]) => ({ tool, button: button(text, key, () => told.tool(tool)) }));
  const toggle = (name: "heat" | "outlines" | "boxes", text: string, key: string) => {
    const change = () => {
      display[name] = !display[name];
      told.display();
    };
    return { name, button: button(text, key, change) };
  };
  const toggles = [toggle("heat", "Heat map", "H"), toggle("outlines", "Outlines", "O"), toggle("boxes", "Boxes", "B")];
  const opacity = h("input", { type: "range", min: "0", max: "1", step: "0.05", id: "opacity" });
  opacity.addEventListener("input", () => {
    display.opacity = opacity.valueAsNumber;
    display.heat = true;
    told.display();
  });
  const pages = h("div", { class: "pages", role: "group", "aria-label": "Pages of pictures" });
  const group = (label: string, ...children: (HTMLElement | HTMLElement[])[]) =>
    h("div", { role: "group", "aria-label": label, class: "group" }, children);
  const element = h(
    "div",
    { class: "toolbar", role: "toolbar", "aria-label": "Tools" },
    h("a", { class: "button", href: "#/", title: "Worklist (U)" }, "‹ Worklist"),
    pages,
    group("Tool of the left button", tools.map((one) => one.button)),
    group("Over the pictures", toggles.map((one) => one.button), h("label", { for: "opacity" }, "Opacity ", opacity)),
    group("Pictures", button("Invert", "I", told.invert), button("Reset", "0", told.reset), button("Keys", "?", told.help)),
  );
  const bar: Bar = {
    element,
    tool: (tool) => tools.forEach((one) => one.button.setAttribute("aria-pressed", String(one.tool === tool))),
    display() {
      toggles.forEach((one) => one.button.setAttribute("aria-pressed", String(display[one.name])));
      opacity.value = String(display.opacity);
      opacity.setAttribute("aria-valuetext", `${Math.round(100 * display.opacity)} percent`);
    },
    layouts(all, at) {
      pages.hidden = all.length < 2;
      fill(pages, all.length > MOST_BUTTONS ? choice(all, at, told) : all.map((layout, i) => pageButton(layout, i, at, told)));
    },
  };
  bar.tool("window");
  bar.display();
  return bar;
}
