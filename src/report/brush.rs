//! Choosing trials in parallel coordinates: a reader drags along an axis, or sets the ends of a range below the figure. Only the lines
//! through all ranges stay visible. Without the script, the figure is complete.

/// Style of the controls. Colours are the page's.
pub(super) const STYLE: &str = "
.brush { font-size: .92rem; } .brush ul { margin: .3rem 0; padding-left: 1.1rem; } .brush fieldset { border: 0; margin: .3rem 0; padding: 0; }
.brush label { display: inline-flex; align-items: center; gap: .4rem; margin-right: 1.2rem; color: var(--quiet); } .brush input { padding: 0; }
.brush legend { padding: 0; } svg rect.range { fill: var(--link); fill-opacity: .25; pointer-events: none; }
svg [data-axis] { cursor: ns-resize; touch-action: none; } svg polyline.faded { opacity: .06; pointer-events: none; }
@media print { .brush { display: none; } }
";

/// Reads the lines and axes of a figure, and keeps the lines that pass through the range of every axis. Ranges are shares of an axis, from
/// its lower end.
pub(super) const SCRIPT: &str = r##"
for (const svg of document.querySelectorAll("svg:has([data-axis])")) {
  const MOST_NAMES = 10;
  const create = (name, set = {}, ...children) => {
    const element = Object.assign(document.createElement(name), set);
    element.append(...children);
    return element;
  };
  const number = (element, name) => Number(element.getAttribute(name));
  const axes = [...svg.querySelectorAll("[data-axis]")].map(area => ({ area, name: area.dataset.axis, range: [0, 1],
    top: number(area, "y"), height: number(area, "height"), left: number(area, "x"), width: number(area, "width") }));
  const trials = [...svg.querySelectorAll("polyline[data-trial]")].map(line => ({ line, name: line.dataset.trial,
    page: line.dataset.run, values: line.dataset.values.split("\n"),
    parts: [...line.points].map((point, place) => (axes[place].top + axes[place].height - point.y) / axes[place].height) }));
  const isWhole = ({ range: [from, to] }) => from <= 0 && to >= 1;
  // Pixels are whole, so a line may lie half a pixel beyond the end of a range.
  const isInside = (trial, place) => {
    const { range: [from, to], height } = axes[place];
    return trial.parts[place] >= from - 0.5 / height && trial.parts[place] <= to + 0.5 / height;
  };
  const isKept = trial => axes.every((_, place) => isInside(trial, place));
  // The first and the last value within the range of an axis.
  const ends = place => {
    const inside = trials.filter(trial => isInside(trial, place)).sort((a, b) => a.parts[place] - b.parts[place]);
    return [inside[0], inside.at(-1)].map(trial => trial ? trial.values[place] : "no trial");
  };

  const count = create("p", { ariaLive: "polite" });
  const names = create("ul");
  const ranges = create("details", {}, create("summary", { textContent: "Set the ranges of the axes" }));
  const all = create("button", { type: "button", textContent: "All trials", hidden: true });
  const controls = create("div", { className: "brush" }, count, names, all, ranges);
  axes.forEach((axis, place) => {
    axis.inputs = ["from", "to"].map((end, index) => {
      const input = create("input", { type: "range", min: 0, max: 100, value: 100 * index });
      input.addEventListener("input", () => {
        axis.range[index] = input.value / 100;
        axis.range[1 - index] = index ? Math.min(...axis.range) : Math.max(...axis.range);
        show();
      });
      return input;
    });
    const labels = axis.inputs.map((input, index) => create("label", {}, ["from", "to"][index], input, create("span")));
    ranges.append(create("fieldset", {}, create("legend", { textContent: axis.name }), ...labels));
    axis.mark = document.createElementNS(svg.namespaceURI, "rect");
    axis.mark.setAttribute("class", "range");
    svg.append(axis.mark);
  });

  function show() {
    const kept = trials.filter(isKept);
    const isAll = axes.every(isWhole);
    for (const trial of trials) trial.line.classList.toggle("faded", !kept.includes(trial));
    axes.forEach((axis, place) => {
      const [from, to] = axis.range;
      const attributes = { x: axis.left + axis.width / 4, width: axis.width / 2, y: axis.top + axis.height * (1 - to), height: axis.height * (to - from) };
      for (const [name, value] of Object.entries(attributes)) axis.mark.setAttribute(name, value);
      axis.mark.style.display = isWhole(axis) ? "none" : "";
      const texts = ends(place);
      axis.inputs.forEach((input, index) => {
        input.value = Math.round(100 * axis.range[index]);
        input.ariaValueText = input.nextSibling.textContent = texts[index];
      });
    });
    count.textContent = `${kept.length} of ${trials.length} trials${isAll ? ". Drag along an axis to keep only some." : ""}`;
    names.replaceChildren(...(isAll || kept.length > MOST_NAMES ? [] : kept.map(trial =>
      create("li", {}, trial.page ? create("a", { href: trial.page, textContent: trial.name }) : trial.name))));
    all.hidden = isAll;
  }
  function clear() {
    for (const axis of axes) axis.range = [0, 1];
    show();
  }

  let start = null;
  let moved = false;
  const partAt = (axis, event) => {
    const { y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return Math.max(0, Math.min(1, (axis.top + axis.height - y) / axis.height));
  };
  for (const axis of axes) {
    axis.area.addEventListener("pointerdown", event => {
      start = partAt(axis, event);
      moved = false;
      axis.area.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    axis.area.addEventListener("pointermove", event => {
      if (start === null) return;
      const end = partAt(axis, event);
      if (Math.abs(end - start) * axis.height < 3 && !moved) return;
      moved = true;
      axis.range = [Math.min(start, end), Math.max(start, end)];
      show();
    });
    axis.area.addEventListener("pointerup", () => {
      if (!moved) axis.range = [0, 1];
      start = null;
      show();
    });
  }
  svg.addEventListener("dblclick", clear);
  all.addEventListener("click", clear);
  addEventListener("keydown", event => {
    if (event.key === "Escape" && !axes.every(isWhole)) clear();
  });
  svg.closest("figure").append(controls);
  show();
}
"##;
