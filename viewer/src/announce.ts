// What happens, said to those who cannot see it and shown to those who can. Owns: the two live regions.

import { Refused } from "./api";
import { fill, h } from "./dom";

const said = h("div", { class: "said", role: "status", "aria-live": "polite" });
const wrong = h("div", { class: "wrong", role: "alert" });

/** Both regions; they have to stand in the page before anything is put into them. */
export const regions = [said, wrong];

let quiet = 0;

/** A short word on what was done; it goes away. */
export function say(text: string): void {
  said.textContent = text;
  window.clearTimeout(quiet);
  quiet = window.setTimeout(() => (said.textContent = ""), 6000);
}

/** What went wrong stays until it is closed. */
export function complain(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  // Whoever was logged in is no longer: the frame of the page asks for it.
  if (error instanceof Refused && error.status === 401) return void window.dispatchEvent(new Event("unknown-reader"));
  const text = error instanceof Error ? error.message : String(error);
  const close = h("button", { type: "button", onclick: () => fill(wrong) }, "Close");
  fill(wrong, h("p", {}, text), close);
}

/** Forgets what was said of the view before. */
export function calm(): void {
  fill(wrong);
  said.textContent = "";
}
