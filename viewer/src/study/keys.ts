// Keys of the study page, and the page that lists them.

import { h } from "../dom";

export interface Key {
  keys: string[];
  shown: string;
  words: string;
  action: () => void;
}

/** Calls what belongs to a key, unless the reader is writing. */
export function listen(keys: Key[], signal: AbortSignal): void {
  const byKey = new Map(keys.flatMap((one) => one.keys.map((key) => [key, one.action] as const)));
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const isButton = event.target instanceof Element && event.target.closest("button,a,summary");
    if (isButton && (event.key === "Enter" || event.key === " ")) return;
    const action = byKey.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!action) return;
    event.preventDefault();
    action();
  };
  document.addEventListener("keydown", pressed, { signal });
}

function isWriting(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest("dialog")) return true;
  return target instanceof HTMLInputElement ? target.type !== "checkbox" : target.matches("select,textarea");
}

export function helpDialog(keys: Key[]): HTMLDialogElement {
  const rows = keys.filter((one) => one.words).map((one) => h("tr", {}, h("th", { scope: "row" }, h("kbd", {}, one.shown)), h("td", {}, one.words)));
  const mouse: [string, string][] = [
    ["left button", "the tool in hand: window, pan, zoom or measure"],
    ["middle button", "pan"],
    ["right button", "zoom"],
    ["wheel", "zoom, or the next frame of a loop"],
    ["double click", "one picture alone, and back"],
  ];
  const more = mouse.map(([what, words]) => h("tr", {}, h("th", { scope: "row" }, what), h("td", {}, words)));
  const dialog = h("dialog", { class: "help", "aria-labelledby": "help-title" });
  const close = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, "Close");
  const table = (caption: string, body: HTMLElement[]) => h("table", {}, h("caption", {}, caption), h("tbody", {}, body));
  dialog.append(h("h2", { id: "help-title" }, "Keys and mouse"), table("Keys", rows), table("Mouse", more), close);
  return dialog;
}
