// The page as a reader uses it: log in, worklist, open, overlay, accept, export; what it looks like, how fast the first
// picture is there, whether it can be used without eyes or mouse.
//
//     node e2e/run.mjs http://127.0.0.1:8080 FOLDER
//
// FOLDER holds a synthetic mammography exam as DICOM. LOBULE_READER and LOBULE_RESEARCHER are `name:password` where the
// service has accounts; pictures of the page are written to LOBULE_SCREENSHOTS where that is set.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { accessible, inBrowser } from "./browser.mjs";
import { dated, readExam, renumbered, replaced, written } from "./dicom.mjs";

const [base, folder] = process.argv.slice(2);
if (!base || !folder) throw new Error("expected the address of a service and the folder of an exam");
const pictures = process.env.LOBULE_SCREENSHOTS;
if (pictures) mkdirSync(pictures, { recursive: true });

/** Models read while others compile. */
const PATIENCE = 240_000;
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
];
const HOSTILE = "<i>x</i>";

const done = (page, modality) => page.locator(`tbody tr:has(.state.done):has-text("${modality}")`);

async function show(page, name) {
  for (const size of SIZES) {
    await page.setViewportSize(size);
    await page.waitForTimeout(700);
    if (pictures) await page.screenshot({ path: join(pictures, `${name}-${size.width}.png`) });
  }
  await page.setViewportSize(SIZES[0]);
}

async function logIn(page, login) {
  await page.goto(base);
  if (!login) return;
  const [name, password] = login.split(":");
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password").fill("not the password");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByText("do not belong together").waitFor();
  await accessible(page, "log-in");
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Worklist" }).waitFor();
  console.log(`logged in: ${name}`);
}

/** The exam as it came today, an earlier one, one that cannot be read, and something else. */
function uploads() {
  const files = readExam(folder);
  assert.ok(files.length >= 4, `expected a four-view exam in ${folder}`);
  const copy = (by, date) => files.map(({ name, bytes }) => ({ name: `${by}-${name}`, bytes: dated(renumbered(bytes, by), date) }));
  const broken = copy(31, "20200101").slice(0, 1).map(({ name, bytes }) => ({
    name,
    bytes: replaced(replaced(bytes, "MONOCHROME2", "MONOCHROME9"), "SYNTHETIC^PHANTOM", `${HOSTILE}^B`),
  }));
  const noDicom = { name: "notes.txt", bytes: "no DICOM" };
  return [...copy(17, "20250601"), ...copy(23, "20230311"), ...broken, noDicom];
}

async function fillWorklist(page) {
  await page.getByRole("button", { name: "Load demo data" }).click();
  await written(uploads(), async (paths) => {
    await page.locator("input[type=file]").setInputFiles(paths);
    await page.getByText("1 without a DICOM preamble").waitFor({ timeout: PATIENCE });
  });
  await page.getByRole("button", { name: "Close" }).click();
  // Without loading the page anew: the service says what changes.
  await page.waitForFunction(
    () => document.querySelectorAll(".state.done").length >= 6 && document.querySelectorAll(".state.failed").length >= 1,
    undefined,
    { timeout: PATIENCE },
  );
}

async function worklist(page, login) {
  await logIn(page, login);
  await fillWorklist(page);
  await accessible(page, "worklist");
  const scores = (await page.locator("td.suspicion").allTextContents()).map((text) => (text === "–" ? -1 : Number(text)));
  const flags = await page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => row.classList.contains("flagged")));
  const order = scores.map((score, i) => score + (flags[i] ? 1000 : 0));
  assert.deepEqual(order, [...order].sort((a, b) => b - a), "the most suspicious stand first");
  assert.ok((await page.getByText("SYNTHETIC", { exact: true }).count()) >= 6, "what is synthetic says so");
  assert.ok(await page.getByText(HOSTILE).isVisible(), "a name is shown as it is");
  assert.equal(await page.locator("main i").count(), 0, "a name is never markup");
  await show(page, "worklist");
  await page.getByLabel("Modality").selectOption("US");
  await page.waitForFunction(() => !document.querySelector("tbody")?.textContent?.includes("Mammography"));
  await page.getByLabel("Modality").selectOption("");
  await done(page, "Mammography").first().waitFor();
}

async function failed(page) {
  await page.getByRole("link", { name: "Failed jobs" }).click();
  const retry = page.getByRole("button", { name: /^Try again/ }).first();
  await retry.waitFor();
  await accessible(page, "failed jobs");
  await retry.click();
  await page.getByText("It will be tried again.").waitFor();
  await page.getByRole("link", { name: "Worklist" }).click();
  await page.locator(".state.failed").waitFor({ timeout: PATIENCE });
}

/** Time from the click to the first picture, as the page itself measures it. */
async function open(page, row, count) {
  await page.evaluate(() => {
    performance.clearMarks();
    document.addEventListener("click", () => performance.mark("click"), { capture: true, once: true });
  });
  await row.getByRole("link").click();
  await page.waitForFunction((n) => document.querySelectorAll(".cell[data-ready]").length >= n, count, { timeout: PATIENCE });
  return page.evaluate(() => {
    const at = (name) => performance.getEntriesByName(name).map((mark) => mark.startTime);
    return at("picture").map((time) => time - at("click")[0]);
  });
}

/** Mean brightness of the middle of a picture's canvas: a picture that is not there is black. */
const brightness = (cell) =>
  cell.locator("canvas").evaluate((canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += data[i];
    return sum / (width * height);
  });

async function mammography(page) {
  const times = await open(page, done(page, "Mammography").filter({ hasText: "2025-06-01" }), 4);
  console.log(`first picture of a four-view exam ${times[0].toFixed(0)} ms after the click, the fourth after ${times[3].toFixed(0)} ms`);
  const letters = await page.locator(".cell .letters").evaluateAll((all) => all.map((one) => one.firstChild.textContent));
  assert.deepEqual(letters, ["RCC", "LCC", "RMLO", "LMLO"]);
  await hangsRight(page);
  await accessible(page, "mammography");
  await overlays(page);
  await show(page, "mammography");
  await reviews(page);
  await measures(page);
  await windows(page);
  await priors(page);
  await exports(page);
}

/** Chest walls stand together, and a millimeter is as long in each picture. */
async function hangsRight(page) {
  const shown = await page.evaluate(() =>
    [...document.querySelectorAll(".cell")].map((cell) => {
      const canvas = cell.querySelector("canvas");
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      const column = (x) => {
        let sum = 0;
        for (let y = 0; y < height; y++) sum += data[4 * (y * width + x)];
        return sum / height;
      };
      const bar = cell.querySelector(".scale path").getBBox().width;
      const mm = Number.parseFloat(cell.querySelector(".scale text").textContent);
      return { left: column(3), right: column(width - 4), perMm: bar / mm };
    }),
  );
  shown.forEach((cell, i) => {
    const [chest, front] = i % 2 === 0 ? [cell.right, cell.left] : [cell.left, cell.right];
    assert.ok(chest > front + 5, `picture ${i}: the chest wall is in the middle: ${JSON.stringify(cell)}`);
    assert.ok(Math.abs(cell.perMm / shown[0].perMm - 1) < 1e-3, `one scale: ${JSON.stringify(shown)}`);
  });
}

async function overlays(page) {
  const heat = () => page.locator(".heat").first().evaluate((one) => Number(getComputedStyle(one).opacity));
  assert.equal(await page.locator(".heat").count(), 4);
  assert.ok((await page.locator(".outline").count()) > 0, "findings are outlined");
  assert.ok((await heat()) > 0.2);
  await page.keyboard.press("h");
  assert.equal(await heat(), 0);
  await page.getByLabel("Opacity").fill("0.3");
  assert.ok(Math.abs((await heat()) - 0.3) < 1e-6);
  await page.getByLabel("Opacity").fill("0.5");
  await page.getByLabel("Opacity").blur();
  await liesRight(page);
}

/** What is laid over a picture lies on it: along the outline of the breast, the picture is bright inside and dark outside. */
async function liesRight(page) {
  const shares = await page.evaluate(async () => {
    const uid = location.hash.split("/").at(-1);
    const assessment = await (await fetch(`/api/v1/studies/${uid}/assessment`)).json();
    return [...document.querySelectorAll(".cell")].map((cell) => {
      const letters = cell.querySelector(".letters").firstChild.textContent;
      const breast = assessment.exams[0].breasts.find((one) => one.breast[0].toUpperCase() === letters[0]);
      const image = breast.images.find((one) => one.mammogram.view === letters.slice(1));
      const canvas = cell.querySelector("canvas");
      const [place, { width, height }] = [canvas.getBoundingClientRect(), canvas];
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      const way = cell.querySelector(".overlay g g").getScreenCTM();
      const points = image.mammogram.breast.map(([row, col]) => new DOMPoint(col + 0.5, row + 0.5).matrixTransform(way));
      const [x, y] = ["x", "y"].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
      const value = (point, by) => {
        const length = Math.hypot(point.x - x, point.y - y);
        const at = [point.x + ((point.x - x) / length) * by - place.x, point.y + ((point.y - y) / length) * by - place.y];
        const [col, row] = at.map((one, i) => Math.round((one * canvas.width) / (i === 0 ? place.width : (place.height * width) / height)));
        return col < 2 || row < 2 || col >= width - 2 || row >= height - 2 ? null : data[4 * (row * width + col)];
      };
      const pairs = points.map((point) => [value(point, -5), value(point, 5)]).filter((pair) => !pair.includes(null));
      return { letters, count: pairs.length, right: pairs.filter(([inside, outside]) => inside > outside + 4).length };
    });
  });
  for (const { letters, count, right } of shares) {
    assert.ok(count >= 10 && right > 0.9 * count, `${letters}: the outline lies on the breast at ${right} of ${count} points`);
  }
}

async function reviews(page) {
  await page.keyboard.press("n");
  const finding = page.locator(".finding.selected");
  const id = await finding.getAttribute("data-finding");
  await page.keyboard.press("a");
  await page.locator(`.finding.accepted[data-finding="${id}"]`).waitFor();
  await page.keyboard.press("c");
  await page.keyboard.type(`looks real ${HOSTILE}`);
  await page.keyboard.press("Enter");
  await page.getByText("Finding accepted.").waitFor();
  assert.equal(await page.locator(".outline.accepted").count(), 1, "the outline says so");
  const second = page.locator(".finding").nth(1);
  await second.getByRole("button", { name: "Reject" }).click();
  await page.locator(".finding.rejected").waitFor();
  await page.reload();
  await page.locator(`.finding.accepted[data-finding="${id}"]`).waitFor({ timeout: PATIENCE });
  assert.equal(await page.locator(`[data-finding="${id}"] input`).inputValue(), `looks real ${HOSTILE}`);
  assert.equal(await page.locator(".finding.rejected").count(), 1);
  await second.getByRole("button", { name: "Reject" }).click();
  await page.waitForFunction(() => !document.querySelector(".finding.rejected"));
  await page.waitForFunction(() => document.querySelectorAll(".cell[data-ready]").length === 4);
}

async function drag(page, from, by) {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + by.x, from.y + by.y, { steps: 6 });
  await page.mouse.up();
}

async function measures(page) {
  const box = await page.locator(".cell .canvas").nth(1).boundingBox();
  const perMm = await page.locator(".cell").nth(1).evaluate((cell) => {
    return cell.querySelector(".scale path").getBBox().width / Number.parseFloat(cell.querySelector(".scale text").textContent);
  });
  await page.keyboard.press("m");
  await drag(page, { x: box.x + 60, y: box.y + 60 }, { x: 120, y: 0 });
  // Cornerstone counts again some time after the mouse has come to rest.
  await page.waitForTimeout(600);
  const words = await page.locator(".cell svg.svg-layer text").first().textContent();
  const expected = 120 / perMm;
  assert.ok(Math.abs(Number.parseFloat(words) - expected) < 0.02 * expected + 0.2 && words.includes("mm"), `${words}, expected ${expected} mm`);
  console.log(`measured ${words.trim()} over ${expected.toFixed(1)} mm`);
  await page.keyboard.press("Delete");
  await page.keyboard.press("w");
}

async function windows(page) {
  const cell = page.locator(".cell").first();
  const words = () => cell.locator(".window").textContent();
  const box = await cell.boundingBox();
  const [before, bright] = [await words(), await brightness(cell)];
  assert.match(before, /the exam's window/);
  await drag(page, { x: box.x + 80, y: box.y + 80 }, { x: 0, y: -60 });
  assert.notEqual(await words(), before);
  await page.waitForTimeout(200);
  assert.notEqual(await brightness(cell), bright);
  await page.keyboard.press("0");
  assert.equal(await words(), before, "reset brings the exam's own window back");
  await cell.dblclick();
  await page.locator(".board.alone").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".board.alone").waitFor({ state: "detached" });
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await accessible(page, "keys");
  await page.keyboard.press("Escape");
}

async function priors(page) {
  await page.getByRole("button", { name: "Beside 2023-03-11" }).waitFor({ timeout: PATIENCE });
  await page.keyboard.press("p");
  await page.waitForFunction(() => document.querySelectorAll(".cell[data-ready]").length === 8);
  assert.equal(await page.locator(".earlier").count(), 4, "the earlier exam says so");
  await show(page, "priors");
  await page.keyboard.press("p");
  await page.waitForFunction(() => document.querySelectorAll(".cell[data-ready]").length === 4);
}

async function exports(page) {
  const coming = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export, de-identified" }).click();
  const bytes = readFileSync(await (await coming).path());
  assert.equal(bytes.subarray(0, 2).toString(), "PK", "the export is a ZIP");
  assert.ok(bytes.length > 100_000, `the export holds the pictures: ${bytes.length} bytes`);
  console.log(`exported ${bytes.length} bytes`);
}

async function ultrasound(page) {
  await page.keyboard.press("u");
  await page.getByRole("heading", { name: "Worklist" }).waitFor();
  await open(page, done(page, "Ultrasound").first(), 4);
  await accessible(page, "ultrasound");
  const titles = await page.locator(".cell .letters").evaluateAll((all) => all.map((one) => Number.parseInt(one.textContent.slice(1), 10)));
  assert.deepEqual(titles, [...titles].sort((a, b) => a - b), "images stand by attention");
  for (const cell of await page.locator(".cell").all()) assert.ok((await brightness(cell)) > 10, "the sonogram is there");
  await show(page, "ultrasound");
  await exports(page);
  await page.keyboard.press("u");
  // A loop runs by its frames.
  const loop = done(page, "Ultrasound").filter({ has: page.locator("td.number", { hasText: /^5$/ }) });
  for (const row of await loop.all()) {
    await open(page, row, 2);
    const frame = page.locator(".mark span", { hasText: /^frame/ }).first();
    if (await frame.count()) {
      const before = await frame.textContent();
      await page.locator(".cell", { has: frame }).first().focus();
      await page.keyboard.press(".");
      await page.waitForFunction((words) => ![...document.querySelectorAll(".mark span")].some((one) => one.textContent === words), before).catch(() => undefined);
      console.log(`loop: ${before} → ${await frame.textContent()}`);
    }
    await page.keyboard.press("u");
  }
}

async function researcher(page) {
  await logIn(page, process.env.LOBULE_RESEARCHER);
  await done(page, "Mammography").first().waitFor();
  const names = [HOSTILE, "PHANTOM", "Upload", "Load demo"];
  const text = await page.locator("body").innerText();
  for (const name of names) assert.ok(!text.includes(name), `a researcher sees nothing of “${name}”`);
  await done(page, "Mammography").first().getByRole("link").click();
  await page.locator(".stills img").first().waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".stills img")].every((one) => one.complete && one.naturalWidth > 0));
  assert.equal(await page.getByRole("button", { name: "Accept" }).count(), 0, "a researcher does not review");
  await accessible(page, "a researcher's study");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
}

await inBrowser(async (page) => {
  await worklist(page, process.env.LOBULE_READER);
  await failed(page);
  await mammography(page);
  await ultrasound(page);
});
if (process.env.LOBULE_RESEARCHER) await inBrowser(researcher);
console.log("the page did all it was asked");
