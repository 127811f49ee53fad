// What could not be read or sent, with the reason, and another try.

import { complain } from "./announce";
import * as api from "./api";
import { fill, h } from "./dom";
import type { Place } from "./main";
import { retryButton } from "./worklist";

export async function showFailed({ main, session, signal }: Place): Promise<void> {
  const list = h("div", { class: "table" });
  fill(main, h("div", { class: "title" }, h("h1", {}, "Failed jobs")), list);
  const draw = async () => {
    const jobs = await api.failedJobs(signal);
    fill(list, jobs.length ? table(jobs, session) : h("p", { class: "empty" }, "Nothing has failed."));
  };
  const renew = () => void draw().catch(complain);
  api.watch(signal, renew, (isLive) => isLive && renew());
  await draw();
}

function table(jobs: api.FailedJob[], session: api.Session): HTMLElement {
  const heads = ["Study", "What", "Attempts", "Reason", ""];
  const head = h("thead", {}, h("tr", {}, heads.map((text) => h(text ? "th" : "td", text ? { scope: "col" } : {}, text))));
  const rows = jobs.map((job) =>
    h(
      "tr",
      {},
      h("td", { class: "key" }, h("a", { href: `#/study/${job.study_uid}` }, job.key)),
      h("td", {}, job.kind === "send" ? `sending to ${job.destination}` : "reading"),
      h("td", { class: "number" }, String(job.attempts)),
      h("td", { class: "reason" }, job.reason),
      h("td", {}, retryButton(job, session)),
    ),
  );
  return h("table", {}, h("caption", { class: "hidden" }, "Failed jobs"), head, h("tbody", {}, rows));
}
