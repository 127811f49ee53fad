// Files from the reader's machine to the service, by STOW-RS. Owns: which files are sent. The service
// decides what it takes.

import { complain, say } from "./announce";
import * as api from "./api";
import { h } from "./dom";
import { parcelsOf } from "./parcels";

/** A DICOM file says DICM after 128 bytes. */
const PREAMBLE = 128;

/** A button that asks for files. */
export function uploadButton(): HTMLElement {
  const input = h("input", { type: "file", multiple: true, class: "hidden", "aria-label": "DICOM files to upload", tabindex: "-1" });
  input.addEventListener("change", () => {
    void upload([...(input.files ?? [])]);
    input.value = "";
  });
  const button = h("button", { type: "button", onclick: () => input.click() }, "Upload DICOM files");
  return h("span", {}, button, input);
}

/** Files and folders that are dropped on the element are uploaded. */
export function takeDrops(element: HTMLElement, signal: AbortSignal): void {
  const over = (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    element.classList.add("dropping");
  };
  const out = (event: DragEvent) => {
    if (!element.contains(event.relatedTarget as Node | null)) element.classList.remove("dropping");
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    element.classList.remove("dropping");
    const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
    void filesOf(entries).then(upload, complain);
  };
  element.addEventListener("dragover", over, { signal });
  element.addEventListener("dragleave", out, { signal });
  element.addEventListener("drop", drop, { signal });
}

async function filesOf(entries: (FileSystemEntry | null)[]): Promise<File[]> {
  const found: File[] = [];
  for (const entry of entries) {
    if (entry?.isFile) found.push(await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed)));
    else if (entry?.isDirectory) found.push(...(await filesOf(await entriesOf(entry as FileSystemDirectoryEntry))));
  }
  return found;
}

/** A folder hands out its entries in parcels; an empty one is the last. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (some.length === 0) return all;
    all.push(...some);
  }
}

export async function upload(files: File[]): Promise<void> {
  if (files.length === 0) return;
  const flags = await Promise.all(files.map(isDicom));
  const dicom = files.filter((_, i) => flags[i]);
  const others = files.length - dicom.length;
  let [stored, failed, sent, broke] = [0, 0, 0, ""];
  try {
    for (const parcel of parcelsOf(dicom)) {
      say(`Uploading: ${sent} of ${dicom.length} files`);
      const answer = await api.store(parcel);
      sent += parcel.length;
      stored += answer.stored;
      failed += answer.failed;
    }
  } catch (error) {
    broke = `${dicom.length - sent}, because: ${error instanceof Error ? error.message : String(error)}`;
  }
  say(`${stored} of ${files.length} files uploaded.`);
  const reasons = [others ? `${others} without a DICOM preamble` : "", failed ? `${failed} refused by the service` : "", broke];
  const words = reasons.filter(Boolean).join(", ");
  if (words) complain(new Error(`Not uploaded: ${words}.`));
}

async function isDicom(file: File): Promise<boolean> {
  return (await file.slice(PREAMBLE, PREAMBLE + 4).text()) === "DICM";
}
