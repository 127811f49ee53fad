// Chromium as a reader has it, without a graphics card and without a word to anybody else.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Opens a browser with a folder of its own, and runs what is to be done in it. */
export async function inBrowser(action, size = { width: 1280, height: 800 }) {
  const folder = mkdtempSync(join(tmpdir(), "lobule-browser-"));
  const executablePath = process.env.LOBULE_CHROMIUM ?? "/usr/bin/chromium";
  const context = await chromium.launchPersistentContext(folder, { executablePath, headless: true, args: ARGS, viewport: size });
  const wrong = [];
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("pageerror", (error) => wrong.push(`error: ${error.stack}`));
    page.on("console", (message) => {
      // A refused log-in is said on the console too.
      const isExpected = /status of (401|403|404|409|422)/.test(message.text());
      if (message.type() === "error" && !isExpected) wrong.push(`console: ${message.text()}`);
    });
    await action(page);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
  if (wrong.length) throw new Error(`the page complained:\n${wrong.join("\n")}`);
}

/** What axe-core finds wrong with the page as it stands. */
export async function accessible(page, what) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ["violations"] }));
  const found = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.map((node) => `${node.html}\n  ${node.failureSummary}`).join("\n  ")}`);
  if (found.length) throw new Error(`${what} is not accessible:\n${found.join("\n")}`);
  console.log(`accessible: ${what}`);
}
