//! Style and script of the parts that show two trials image by image.

pub(super) const STYLE: &str = "
.plots { display: flex; flex-wrap: wrap; gap: 0 1.5rem; } .plots figure { margin: .6rem 0; max-width: 100%; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1.2rem 1rem; margin: 1rem 0; }
.pair p { margin: .3rem 0 0; font-size: .88rem; overflow-wrap: anywhere; } .pair input { width: 100%; margin: .3rem 0 0; padding: 0; }
.pair input[hidden] { display: none; } .maps { display: grid; grid-template-columns: 1fr 1fr; gap: 2px; } .maps svg { display: block; width: 100%; height: auto; }
.maps.stacked { grid-template-columns: 1fr; position: relative; } .maps.stacked svg { grid-area: 1 / 1; }
.maps.stacked svg:last-of-type { clip-path: inset(0 0 0 var(--split)); }
.maps.stacked::after { content: ''; position: absolute; top: 0; bottom: 0; left: var(--split); width: 2px; margin-left: -1px; background: #fff; box-shadow: 0 0 0 1px #000; }
#maps path { fill: none; stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linecap: round; }
#maps path.under { stroke: #000; stroke-width: 3; opacity: .55; } #maps path.truth { stroke: #00e5ff; } #maps path.threshold { stroke: #fff; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
@media print { .pair input { display: none; } .pair { break-inside: avoid; } }
";

/// Puts the maps of each image on top of each other, with a slider that moves the boundary between them.
pub(super) const SCRIPT: &str = r##"
for (const pair of document.querySelectorAll(".pair")) {
  const [maps, range] = [pair.querySelector(".maps"), pair.querySelector("input")];
  const split = () => maps.style.setProperty("--split", range.value + "%");
  maps.classList.add("stacked");
  range.hidden = false;
  range.addEventListener("input", split);
  split();
}
"##;
