// The page: who is there, which view the address asks for, and the frame around it. Owns: routes and the head. Does not
// own: what a view shows.

import { calm, complain, regions } from "./announce";
import * as api from "./api";
import { fill, h } from "./dom";
import { showFailed } from "./failed";
import { showLogIn } from "./login";
import { showWorklist } from "./worklist";
import "./style.css";

/** What a view is given: where it stands, who looks, and when it is over. */
export interface Place {
  main: HTMLElement;
  session: api.Session;
  signal: AbortSignal;
}

type View = (place: Place, uid: string) => Promise<void>;

const ROUTES: [RegExp, string, View][] = [
  [/^#\/study\/([0-9.]+)$/, "Study", showStudy],
  [/^#\/failed$/, "Failed jobs", showFailed],
  [/^(#\/?)?$/, "Worklist", showWorklist],
];

const main = h("main", { id: "main", tabindex: "-1" });
const who = h("div", { class: "who" });
const links = h("nav", { "aria-label": "Pages" });
let leave = new AbortController();
let session: api.Session | null = null;

async function showStudy(place: Place, uid: string): Promise<void> {
  const study = await import("./study/page");
  await study.showStudy(place, uid);
}

async function show(): Promise<void> {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  calm();
  fill(main);
  session ??= await api.session();
  if (signal.aborted) return;
  drawHead();
  if (!session) return logIn();
  const found = ROUTES.map(([address, title, view]) => ({ match: address.exec(location.hash), title, view })).find(
    (route) => route.match,
  );
  if (!found) return void location.replace("#/");
  document.title = `${found.title} · Lobule`;
  markCurrent();
  await found.view({ main, session, signal }, found.match?.[1] ?? "");
  // The first study is to open at once.
  requestIdleCallback(() => void import("./study/page").catch(() => undefined));
}

function logIn(): void {
  document.title = "Log in · Lobule";
  showLogIn(main, (now) => {
    session = now;
    if (location.hash === "#/login") location.hash = "#/";
    else refresh();
  });
}

/** Shows the view that the address asks for. */
function refresh(): void {
  show().catch(complain);
}

/** Who goes on by keyboard or by ear goes on in the new view. */
function goTo(): void {
  refresh();
  main.focus({ preventScroll: true });
}

function drawHead(): void {
  links.hidden = !session;
  if (!session) return fill(who);
  const open = session.open
    ? h("span", { title: "No account exists: whoever reaches this machine may do everything." }, "no accounts")
    : [h("span", {}, `${session.name} (${session.role})`), h("button", { type: "button", onclick: logOut }, "Log out")];
  fill(who, open);
}

async function logOut(): Promise<void> {
  await api.logOut().catch(complain);
  session = null;
  refresh();
}

function markCurrent(): void {
  for (const link of links.querySelectorAll("a")) {
    const isCurrent = link.hash === (location.hash || "#/");
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

fill(links, h("a", { href: "#/" }, "Worklist"), h("a", { href: "#/failed" }, "Failed jobs"));
const skip = h("button", { type: "button", class: "skip", onclick: () => main.focus() }, "Skip to content");
const notice = h("p", { class: "notice" }, "Research use only. Not for diagnosis.");
const head = h("header", { class: "head" }, h("strong", { class: "brand" }, "Lobule"), links, notice, who);
document.querySelector("#app")?.append(skip, head, ...regions, main);
window.addEventListener("hashchange", goTo);
window.addEventListener("unknown-reader", () => {
  if (!session) return;
  session = null;
  refresh();
});
refresh();
