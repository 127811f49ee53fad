// Pictures on the screen, by Cornerstone3D's stack viewports on the processor. Owns: the image loader, the tools of the
// mouse, scale and place of a picture in its viewport. Does not own: what is drawn over it (`overlay.ts`).
//
// The processor draws them because a workstation without a graphics card is to show the same as one with it.

import {
  Enums,
  RenderingEngine,
  type Types,
  cache,
  imageLoader,
  metaData,
  setUseCPURendering,
  utilities,
} from "@cornerstonejs/core";
import {
  Enums as ToolEnums,
  LengthTool,
  PanTool,
  StackScrollTool,
  ToolGroupManager,
  WindowLevelTool,
  ZoomTool,
  addTool,
  annotation,
  init as initTools,
} from "@cornerstonejs/tools";
import { type Frame, type Source, load } from "./frames";
import { shownSize } from "./lay";

const SCHEME = "lobule";
const ENGINE = "lobule";
/** Memory that frames may take. */
const CACHE_BYTES = 1 << 30;

export type Tool = "window" | "pan" | "zoom" | "measure";
const TOOLS: Record<Tool, string> = {
  window: WindowLevelTool.toolName,
  pan: PanTool.toolName,
  zoom: ZoomTool.toolName,
  measure: LengthTool.toolName,
};
/** Single pictures zoom by the wheel, loops run by it. */
const GROUPS = ["single", "loop"] as const;

const sources = new Map<string, Source>();
const frames = new Map<string, Frame>();

/** The names under which the viewport asks for the frames; equal sources have equal names. */
export function imageIdOf(source: Source): string {
  const { transposed, flipRows, flipCols } = source.turn;
  const turn = [transposed, flipRows, flipCols].map(Number).join("");
  const id = `${SCHEME}:${source.study}/${source.instance.series}/${source.instance.instance}/${source.frame}/${turn}`;
  sources.set(id, source);
  return id;
}

export const frameOf = (imageId: string) => frames.get(imageId);

/** Millimeters of a shown pixel, (row, column); one where they are not known. */
function shownSpacing(source: Source | undefined): [number, number] {
  return source?.spacing ? shownSize(source.turn, ...source.spacing) : [1, 1];
}

function loadImage(imageId: string): Types.IImageLoadObject {
  const source = sources.get(imageId);
  const stop = new AbortController();
  if (!source) return { promise: Promise.reject(new Error(`unknown picture ${imageId}`)) };
  const promise = load(source, stop.signal).then((frame) => {
    stop.signal.throwIfAborted();
    frames.set(imageId, frame);
    return imageOf(imageId, frame, source) as unknown as Record<string, unknown>;
  });
  return { promise: promise as unknown as Promise<Types.IImage>, cancelFn: () => stop.abort() };
}

function imageOf(imageId: string, frame: Frame, source: Source): Types.IImage {
  const { rows, cols, pixels, voi } = frame;
  const [rowSpacing, colSpacing] = shownSpacing(source);
  const components = frame.color ? 4 : 1;
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    width: cols,
    height: rows,
    scalarData: pixels,
    numberOfComponents: components,
  });
  const [low, high] = extent(frame);
  return {
    imageId,
    minPixelValue: low,
    maxPixelValue: high,
    slope: frame.slope,
    intercept: frame.intercept,
    windowCenter: voi.center,
    windowWidth: voi.width,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    getPixelData: () => voxelManager.getScalarData(),
    getCanvas: undefined as never,
    voxelManager,
    rows,
    columns: cols,
    height: rows,
    width: cols,
    color: frame.color,
    rgba: frame.color,
    numberOfComponents: components,
    columnPixelSpacing: colSpacing,
    rowPixelSpacing: rowSpacing,
    invert: frame.invert,
    sizeInBytes: pixels.byteLength,
    dataType: pixels.constructor.name as Types.PixelDataTypedArrayString,
  } as unknown as Types.IImage;
}

function extent({ pixels, color }: Frame): [number, number] {
  if (color) return [0, 255];
  let [low, high] = [Infinity, -Infinity];
  for (const value of pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

/** What Cornerstone asks of an image; the plane of the picture is that of the screen. */
function describe(kind: string, imageId: string): unknown {
  const [source, frame] = [sources.get(imageId), frames.get(imageId)];
  if (!source || !frame) return undefined;
  const [rowSpacing, colSpacing] = shownSpacing(source);
  if (kind === "imagePlaneModule") {
    return {
      frameOfReferenceUID: imageId,
      rows: frame.rows,
      columns: frame.cols,
      imageOrientationPatient: [1, 0, 0, 0, 1, 0],
      rowCosines: [1, 0, 0],
      columnCosines: [0, 1, 0],
      imagePositionPatient: [0, 0, 0],
      pixelSpacing: [rowSpacing, colSpacing],
      rowPixelSpacing: rowSpacing,
      columnPixelSpacing: colSpacing,
      usingDefaultValues: !source.spacing,
    };
  }
  if (kind === "imagePixelModule") {
    const bits = 8 * frame.pixels.BYTES_PER_ELEMENT;
    return {
      samplesPerPixel: frame.color ? 3 : 1,
      photometricInterpretation: frame.color ? "RGB" : "MONOCHROME2",
      rows: frame.rows,
      columns: frame.cols,
      bitsAllocated: bits,
      bitsStored: bits,
      highBit: bits - 1,
      pixelRepresentation: frame.pixels instanceof Int16Array ? 1 : 0,
    };
  }
  return kind === "generalSeriesModule" ? { modality: source.instance.modality } : undefined;
}

/** Lengths in millimeters where the spacing is known, and that it is not where it is not. */
function lengthWords(data: { cachedStats?: Record<string, { length?: number }> }, targetId: string): string[] | undefined {
  const length = data.cachedStats?.[targetId]?.length;
  if (length === undefined || length === null) return undefined;
  const source = sources.get(targetId.replace(/^imageId:/, ""));
  return source?.spacing ? [`${length.toFixed(1)} mm`] : [`${length.toFixed(0)} pixels`, "(size of a pixel not known)"];
}

let started = false;

function start(): void {
  if (started) return;
  started = true;
  // This in the place of Cornerstone's own start, which tries the graphics card.
  setUseCPURendering(true, false);
  initTools();
  cache.setMaxCacheSize(CACHE_BYTES);
  imageLoader.registerImageLoader(SCHEME, loadImage);
  metaData.addProvider(describe, 1000);
  // Cornerstone's cache leaves it to nobody to hear that a picture was given up.
  window.addEventListener("unhandledrejection", (event) => {
    if (event.reason instanceof DOMException && event.reason.name === "AbortError") event.preventDefault();
  });
  for (const tool of [WindowLevelTool, PanTool, ZoomTool, StackScrollTool, LengthTool]) addTool(tool);
  const styles = annotation.config.style.getDefaultToolStyles() as { global: object };
  annotation.config.style.setDefaultToolStyles({
    ...styles,
    global: {
      ...styles.global,
      color: "rgb(255, 224, 102)",
      colorHighlighted: "rgb(255, 240, 170)",
      colorSelected: "rgb(255, 240, 170)",
      lineWidth: "2",
      textBoxFontSize: "14px",
      textBoxColor: "rgb(255, 224, 102)",
      textBoxColorHighlighted: "rgb(255, 240, 170)",
      textBoxColorSelected: "rgb(255, 240, 170)",
      textBoxBackground: "rgba(0, 0, 0, 0.6)",
    },
  } as never);
}

export interface Pane {
  id: string;
  element: HTMLDivElement;
  viewport: Types.IStackViewport;
  imageIds: string[];
}

/** Where a picture stands: the point, from the shown image's outer corner, that is in the middle, and how many pixels high
 * the view is. */
export interface Placement {
  row: number;
  col: number;
  shownRows: number;
}

export interface Board {
  add(element: HTMLDivElement, id: string, imageIds: string[], first: number): Promise<Pane>;
  remove(panes: Pane[]): void;
  use(tool: Tool): void;
  resize(): void;
  close(): void;
}

export function openBoard(): Board {
  start();
  const engine = new RenderingEngine(ENGINE);
  const groups = GROUPS.map((name) => {
    const group = ToolGroupManager.createToolGroup(name);
    if (!group) throw new Error("the tools of the last study are still there");
    for (const tool of [WindowLevelTool, PanTool, ZoomTool, StackScrollTool]) group.addTool(tool.toolName);
    group.addTool(LengthTool.toolName, { getTextLines: lengthWords });
    return group;
  });
  const use = (tool: Tool) => GROUPS.forEach((name, i) => bind(groups[i] as Group, name, tool));
  use("window");
  return {
    use,
    async add(element, id, imageIds, first) {
      engine.enableElement({ viewportId: id, element, type: Enums.ViewportType.STACK });
      const viewport = engine.getStackViewport(id);
      correct(viewport);
      groups[imageIds.length > 1 ? 1 : 0]?.addViewport(id, ENGINE);
      await viewport.setStack(imageIds, first);
      return { id, element, viewport, imageIds };
    },
    remove(panes) {
      for (const pane of panes) {
        groups.forEach((group) => group.removeViewports(ENGINE, pane.id));
        engine.disableElement(pane.id);
      }
    },
    resize: () => engine.resize(true, false),
    close() {
      GROUPS.forEach((name) => ToolGroupManager.destroyToolGroup(name));
      annotation.state.removeAllAnnotations();
      engine.destroy();
      cache.purgeCache();
      sources.clear();
      frames.clear();
    },
  };
}

type Group = NonNullable<ReturnType<typeof ToolGroupManager.createToolGroup>>;

function bind(group: Group, name: (typeof GROUPS)[number], tool: Tool): void {
  const { MouseBindings } = ToolEnums;
  const bindings: Record<string, object[]> = {};
  const add = (toolName: string, binding: object) => (bindings[toolName] ??= []).push(binding);
  add(TOOLS[tool], { mouseButton: MouseBindings.Primary });
  add(PanTool.toolName, { mouseButton: MouseBindings.Auxiliary });
  add(ZoomTool.toolName, { mouseButton: MouseBindings.Secondary });
  add(name === "loop" ? StackScrollTool.toolName : ZoomTool.toolName, { mouseButton: MouseBindings.Wheel });
  add(PanTool.toolName, { numTouchPoints: 2 });
  for (const toolName of Object.values(TOOLS).concat(StackScrollTool.toolName)) {
    // Measurements stay in sight, and can be moved, whatever is in hand.
    group.setToolPassive(toolName, { removeAllBindings: true });
    if (bindings[toolName]) group.setToolActive(toolName, { bindings: bindings[toolName] as never });
  }
}

/** On the processor Cornerstone counts in pixels of the screen, its tools in those of the page, and it takes every pixel
 * to be square or high: the way between them is set right here. */
function correct(viewport: Types.IStackViewport): void {
  const density = () => viewport.canvas.width / Math.max(1, viewport.canvas.clientWidth);
  const toWorld = viewport.canvasToWorld.bind(viewport);
  const toCanvas = viewport.worldToCanvas.bind(viewport);
  const setCamera = viewport.setCamera.bind(viewport);
  viewport.canvasToWorld = ([x, y]) => toWorld([x * density(), y * density()]);
  viewport.worldToCanvas = (world) => {
    const [x, y] = toCanvas(world);
    return [x / density(), y / density()];
  };
  viewport.setCamera = (camera, store) => {
    const { parallelScale, ...rest } = camera as Types.ICamera;
    if (!parallelScale) return setCamera(camera, store);
    const scale = (viewport.canvas.height * smallSpacing(viewport) * 0.5) / parallelScale;
    return setCamera({ ...rest, scale }, store);
  };
}

function smallSpacing(viewport: Types.IStackViewport): number {
  return Math.min(...shownSpacing(sources.get(viewport.getCurrentImageId())));
}

export function place(pane: Pane, at: Placement): void {
  // Small things must not fall between the pixels of a picture that is shown small. A canvas of a new size forgets this.
  const context = pane.viewport.canvas.getContext("2d");
  if (context) context.imageSmoothingQuality = "medium";
  const [rowSpacing, colSpacing] = shownSpacing(sources.get(pane.viewport.getCurrentImageId()));
  pane.viewport.setCamera({
    focalPoint: [at.col * colSpacing, at.row * rowSpacing, 0],
    parallelScale: (at.shownRows * rowSpacing) / 2,
  });
  pane.viewport.render();
}

/** From the shown image's outer corner, in its pixels, to the page's pixels within the viewport: x = a·col + e, y = d·row + f. */
export function viewOf(pane: Pane): { a: number; d: number; e: number; f: number } | null {
  if (!frames.has(pane.viewport.getCurrentImageId())) return null;
  const [rowSpacing, colSpacing] = shownSpacing(sources.get(pane.viewport.getCurrentImageId()));
  const [x0, y0] = pane.viewport.worldToCanvas([0, 0, 0]);
  const [x1, y1] = pane.viewport.worldToCanvas([100 * colSpacing, 100 * rowSpacing, 0]);
  if (![x0, y0, x1, y1].every(Number.isFinite)) return null;
  return { a: (x1 - x0) / 100, d: (y1 - y0) / 100, e: x0, f: y0 };
}

export function zoomBy(pane: Pane, factor: number): void {
  const { parallelScale } = pane.viewport.getCamera();
  if (!parallelScale) return;
  pane.viewport.setCamera({ parallelScale: parallelScale / factor });
  pane.viewport.render();
}

export function panBy(pane: Pane, x: number, y: number): void {
  const { canvas } = pane.viewport;
  const focalPoint = pane.viewport.canvasToWorld([canvas.clientWidth / 2 + x, canvas.clientHeight / 2 + y]);
  pane.viewport.setCamera({ focalPoint });
  pane.viewport.render();
}

/** The exam's own window again, and nothing inverted that is not stored so. */
export function resetWindow(pane: Pane): void {
  const frame = frames.get(pane.viewport.getCurrentImageId());
  if (!frame) return;
  const { center, width } = frame.voi;
  pane.viewport.setProperties({ voiRange: utilities.windowLevel.toLowHighRange(width, center), invert: frame.invert });
  pane.viewport.render();
}

export function invert(pane: Pane): void {
  pane.viewport.setProperties({ invert: !pane.viewport.getProperties().invert });
  pane.viewport.render();
}

/** Center and width of the window, as DICOM states them. */
export function windowOf(pane: Pane): { center: number; width: number } | null {
  const range = pane.viewport.getProperties().voiRange;
  if (!range) return null;
  const { windowCenter, windowWidth } = utilities.windowLevel.toWindowLevel(range.lower, range.upper);
  return { center: windowCenter, width: windowWidth };
}

/** Takes away the selected measurements, or the last one. */
export function removeMeasure(): boolean {
  const selected = annotation.selection.getAnnotationsSelected();
  const all = annotation.state.getAllAnnotations();
  const gone = selected.length ? selected : all.slice(-1).map((one) => one.annotationUID as string);
  gone.forEach((uid) => annotation.state.removeAnnotation(uid));
  return gone.length > 0;
}

export const EVENTS = Enums.Events;
