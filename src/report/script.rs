//! The page's small script, which sorts tables and switches what the leaderboard shows. Without it the page is complete, in its own order.

/// Sorts by a click (or Enter or Space) on a column's heading, opens folded content that a link leads to, opens the pages of marks, and
/// switches the leaderboard.
pub(super) const SCRIPT: &str = r##"
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell ? (cell.dataset.value ?? cell.textContent.trim()) : "";
    const number = parseFloat(text.replace("−", "-"));
    return Number.isNaN(number) ? text : number;
  };
  const order = (a, b) => typeof a === "number" && typeof b === "number" ? a - b : typeof a === "number" ? -1
    : typeof b === "number" ? 1 : a.localeCompare(b);
  table.querySelectorAll("thead th").forEach((head, column) => {
    const button = document.createElement("button");
    button.append(...head.childNodes);
    head.append(button);
    const sort = () => {
      const down = head.getAttribute("aria-sort") !== "descending";
      table.querySelectorAll("thead th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => order(value(a, column), value(b, column)) * (down ? -1 : 1));
      body.append(...rows);
    };
    button.addEventListener("click", sort);
  });
}
// A link may lead to folded content.
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let at = target.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
// Marks lead to the pages of their runs.
for (const mark of document.querySelectorAll("svg [data-run]")) {
  mark.style.cursor = "pointer";
  mark.addEventListener("click", event => open(mark.dataset.run, event.ctrlKey || event.metaKey ? "_blank" : "_self"));
}
// Boxes hide variants in all figures of their protocol.
for (const box of document.querySelectorAll("input.shown")) {
  box.hidden = false;
  box.addEventListener("change", () => {
    const part = box.closest(".protocol");
    const variable = `--variant-${box.dataset.slot}`;
    if (box.checked) part.style.removeProperty(variable); else part.style.setProperty(variable, "transparent");
    for (const same of part.querySelectorAll(`input.shown[data-slot="${box.dataset.slot}"]`)) same.checked = box.checked;
  });
}
for (const board of document.querySelectorAll("table.board")) {
  const switches = board.closest("section").querySelector(".switches");
  const choose = (name, show) => {
    const select = switches && switches.querySelector(name);
    if (select) select.addEventListener("change", () => show(select.value));
  };
  choose(".board-category", value => {
    for (const body of board.tBodies) body.hidden = body.dataset.category !== value;
  });
  choose(".board-metric", value => {
    for (const cell of board.querySelectorAll("[data-metric]")) cell.hidden = value !== "all" && cell.dataset.metric !== value;
  });
}
"##;
