// Checks the page of a report.

/** Red, green, blue, opacity of a computed colour. */
function colour(text) {
  const numbers = (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  return numbers.length > 3 ? numbers : [...numbers, 1];
}

/** Relative luminance and contrast, WCAG 2.2. */
function luminance([red, green, blue]) {
  const linear = [red, green, blue].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
}
function contrast(first, second) {
  const [bright, dark] = [luminance(first), luminance(second)].sort((a, b) => b - a);
  return (bright + 0.05) / (dark + 0.05);
}

/** Background of an element: the colour of the nearest painted ancestor. */
function background(element) {
  for (let at = element; at; at = at.parentElement) {
    const [red, green, blue, opacity] = colour(getComputedStyle(at).backgroundColor);
    if (opacity > 0.99) return [red, green, blue];
  }
  return [255, 255, 255];
}

/** Background of a figure's text: the last shape before it that covers its middle, else the page. */
function figureBackground(text) {
  const box = text.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  let colourBelow = background(text.closest("svg"));
  for (const shape of text.closest("svg").querySelectorAll("rect, polygon, text")) {
    if (shape === text) break;
    const of = shape.getBoundingClientRect();
    const [red, green, blue, opacity] = colour(getComputedStyle(shape).fill);
    const solid = opacity * Number(shape.getAttribute("opacity") ?? 1) > 0.99;
    if (shape.tagName !== "text" && solid && of.left <= x && x <= of.right && of.top <= y && y <= of.bottom) colourBelow = [red, green, blue];
  }
  return colourBelow;
}

function texts() {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const all = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (node.textContent.trim() && parent.checkVisibility() && !["SCRIPT", "STYLE"].includes(parent.tagName)) all.push(node);
  }
  return all;
}

function box(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  return range.getBoundingClientRect();
}

function checkLayout() {
  checkPageWidth();
  for (const svg of document.querySelectorAll("svg")) {
    const frame = svg.getBoundingClientRect();
    const all = [...svg.querySelectorAll("text")].map((text) => [text.textContent, text.getBoundingClientRect()]);
    for (const [text, of] of all) {
      if (of.left < frame.left - 1 || of.right > frame.right + 1 || of.top < frame.top - 1 || of.bottom > frame.bottom + 1)
        addFault(`${quoted(text)} is cut by the figure ${quoted(svg.parentElement.getAttribute("aria-label") ?? "")}`);
    }
    // The empty margin of a glyph's box may overlap another box slightly.
    all.forEach(([text, a], index) => all.slice(index + 1).forEach(([other, b]) => {
      const [across, along] = [Math.min(a.right, b.right) - Math.max(a.left, b.left), Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)];
      if (across > 2 && along > 0.3 * Math.min(a.height, b.height))
        addFault(`${quoted(text)} overlaps ${quoted(other)} in ${quoted(svg.parentElement.getAttribute("aria-label") ?? "")}`);
    }));
  }
  for (const node of texts()) {
    const parent = node.parentElement;
    if (parent.closest("svg")) continue;
    const of = box(node);
    const scroller = parent.closest(".scroll, figure, nav, pre");
    if (!scroller && (of.right > width + 1 || of.left < -1)) addFault(`${quoted(node.textContent)} is cut by the window`);
    const cell = parent.closest("td, th");
    if (cell && of.right > cell.getBoundingClientRect().right + 1) addFault(`${quoted(node.textContent)} leaves its cell`);
  }
}

function checkContrast() {
  for (const node of texts()) {
    const parent = node.parentElement;
    const inFigure = parent.closest("svg");
    const style = getComputedStyle(parent);
    const own = colour(inFigure ? style.fill : style.color);
    const below = inFigure ? figureBackground(parent) : background(parent);
    const reached = contrast(own, below);
    if (reached < 4.5) addFault(`contrast ${reached.toFixed(2)} of ${quoted(node.textContent)}`);
  }
}

function checkLinks() {
  for (const link of document.querySelectorAll("a[href]")) {
    const target = link.getAttribute("href");
    // The gallery reads these addresses itself.
    if (/^#[\w-]*gallery=/.test(target)) continue;
    // Files of the report lie beside its page.
    if (/^[a-z]+:|^\//.test(target)) addFault(`a link leads out of the report: ${target}`);
    else if (!target.startsWith("#")) continue;
    else if (!document.getElementById(target.slice(1))) addFault(`no element has the id ${target}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  ids.filter((id, index) => ids.indexOf(id) !== index).forEach((id) => addFault(`two elements have the id ${id}`));
}

function checkScript() {
  const table = document.querySelector("table.sortable");
  if (!table) return addFault("no table can be sorted");
  const number = (row, column) => parseFloat(row.cells[column].textContent.replace("−", "-"));
  const rows = () => [...table.tBodies[0].rows];
  const column = [...rows()[0].cells].findIndex((cell, index) => rows().every((row) => !Number.isNaN(number(row, index))));
  const numbers = () => rows().map((row) => number(row, column));
  const heads = table.querySelectorAll("thead th button");
  const sorted = (values, order) => values.every((value, index) => index === 0 || order(values[index - 1], value));
  const before = numbers().length;
  heads[column].click();
  if (!sorted(numbers(), (a, b) => a >= b)) addFault(`not sorted downwards: ${numbers()}`);
  heads[column].click();
  if (!sorted(numbers(), (a, b) => a <= b)) addFault(`not sorted upwards: ${numbers()}`);
  if (numbers().length !== before) addFault("sorting lost rows");
  checkBoard();
}

/** The leaderboard shows one category and one metric at a time. */
function checkBoard() {
  const board = document.querySelector("table.board");
  if (!board) return addFault("there is no leaderboard");
  const choose = (name, value) => {
    const select = document.querySelector(name);
    select.value = value;
    select.dispatchEvent(new Event("change"));
  };
  const visible = (elements) => [...elements].filter((element) => element.checkVisibility());
  if (visible(board.tBodies).length !== 1) addFault("the leaderboard shows several categories at once");
  if (document.querySelector(".board-category")) {
    choose(".board-category", "1");
    const shown = visible(board.tBodies);
    if (shown.length !== 1 || shown[0].dataset.category !== "1") addFault("the leaderboard does not show the chosen category");
    choose(".board-category", "0");
  }
  choose(".board-metric", "1");
  const metrics = new Set(visible(board.querySelectorAll("[data-metric]")).map((cell) => cell.dataset.metric));
  if (metrics.size !== 1 || !metrics.has("1")) addFault("the leaderboard does not show the chosen metric alone");
  choose(".board-metric", "all");
}

function checkGallery() {
  const root = document.querySelector(".gallery.on");
  if (!root) return addFault("the gallery is not on");
  const part = (name) => root.querySelector(`[data-part="${name}"]`);
  const change = (name, value) => {
    part(name).value = value;
    part(name).dispatchEvent(new Event("change"));
  };
  const thumbs = () => [...part("thumbs").children];
  if (root.querySelector(".gallery-still").checkVisibility()) addFault("the strip is shown next to the gallery");
  const all = thumbs().length;
  const kind = part("kind").options[1].value;
  change("kind", kind);
  if (!thumbs().length || thumbs().length >= all) addFault(`kind ${kind}: ${thumbs().length} of ${all} images`);
  change("kind", "");
  const pressed = () => thumbs().filter((thumb) => thumb.getAttribute("aria-pressed") === "true");
  thumbs().at(-1).click();
  if (pressed().length !== 1 || pressed()[0] !== thumbs().at(-1)) addFault("the chosen image is not marked");
  const name = thumbs().at(-1).title;
  if (!part("facts").textContent.includes(name)) addFault(`the facts do not name ${quoted(name)}`);
  if (!decodeURIComponent(location.hash).includes(name)) addFault(`the address does not name ${quoted(name)}`);
  change("a", part("b").value);
  if (part("left").textContent.slice(1) !== part("right").textContent.slice(1)) addFault("A cannot be chosen");
}

checkRequests();
checkLayout();
checkContrast();
checkLinks();
checkScript();
await checkAccessibility();
checkGallery();
document.querySelectorAll("details").forEach((details) => { details.open = true; });
checkLayout();
// Folded content has the same rules at every width.
if (width >= 1440) await checkAccessibility();
