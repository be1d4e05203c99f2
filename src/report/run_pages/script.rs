//! The script of the runs' pages. Without it, cards and viewers work, in their own order.

/// Orders the cards, and moves between viewers with the arrow keys; Escape closes a viewer.
pub(super) const SCRIPT: &str = r##"
const cards = document.getElementById("cards");
const viewerOf = (item) => document.querySelector(item.querySelector("a.card").getAttribute("href"));
const relink = () => {
  const viewers = [...cards.children].filter(item => item.querySelector("a.card")).map(viewerOf);
  viewers.forEach((viewer, place) => {
    const target = (other) => "#" + (viewers[other] ?? viewer).id;
    viewer.querySelector(".previous").setAttribute("href", target(place - 1));
    viewer.querySelector(".next").setAttribute("href", target(place + 1));
  });
};
if (cards) {
  const buttons = [...document.querySelectorAll(".sort button")];
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const key = button.dataset.by;
      cards.append(...[...cards.children].sort((a, b) => a.dataset[key] - b.dataset[key]));
      buttons.forEach(other => other.setAttribute("aria-pressed", String(other === button)));
      relink();
    });
  }
  document.querySelector(".sort").hidden = false;
  document.addEventListener("keydown", (event) => {
    const viewer = document.querySelector(".viewer:target");
    const link = { Escape: ".close", ArrowLeft: ".previous", ArrowRight: ".next" }[event.key];
    if (!viewer || !link || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    viewer.querySelector(link).click();
  });
}
"##;
