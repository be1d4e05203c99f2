//! The style of the runs' pages, beyond that of all pages.

pub(super) const STYLE: &str = "
.trail { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; max-width: none; font-size: .92rem; }
.plots { display: flex; flex-wrap: wrap; gap: 0 1.5rem; } .plots figure { margin: .6rem 0; max-width: 100%; }
.sort { display: flex; flex-wrap: wrap; gap: .5rem; margin: .8rem 0; } .sort[hidden] { display: none; }
button { font: inherit; font-size: .92rem; color: var(--ink); background: var(--panel); border: 1px solid var(--quiet); border-radius: 4px; padding: .25rem .7rem; cursor: pointer; }
button[aria-pressed=true] { background: var(--link); border-color: var(--link); color: var(--paper); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.cards { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .7rem; }
.card { display: flex; flex-direction: column; height: 100%; padding: .5rem; border: 1px solid var(--line); border-radius: 6px; color: inherit; text-decoration: none; font-size: .85rem; line-height: 1.35; scroll-margin-top: 4rem; }
a.card:hover { border-color: var(--link); } .card svg { width: 96px; height: 96px; margin-bottom: .35rem; border-radius: 3px; }
.card .name { font-weight: 600; overflow-wrap: anywhere; } .card .kind { color: var(--quiet); } .outcome { font-weight: 600; }
.card .outcome { margin-top: auto; } .card svg.defs { position: absolute; width: 0; height: 0; margin: 0; }
use { fill: none; stroke-width: 1.5; stroke-linecap: round; }
use.under { stroke: #000; stroke-width: 3; opacity: .55; } use.truth { stroke: #00e5ff; } use.threshold { stroke: #fff; }
.viewer { display: none; } .viewer:target { display: block; position: fixed; inset: 0; z-index: 5; overflow-y: auto; background: var(--paper); padding: 1.2rem max(1.25rem, calc((100vw - 1300px) / 2)); }
.viewer:focus { outline: none; } .viewer h3 { margin-top: .6rem; overflow-wrap: anywhere; } .steps { display: flex; gap: 1.2rem; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 16rem), 1fr)); gap: 1rem; margin: .8rem 0; max-width: 80rem; }
.pictures svg { display: block; width: 100%; height: auto; max-height: 78vh; } .pictures span { color: var(--quiet); font-size: .88rem; }
pre.log { max-height: 20rem; overflow-y: auto; }
@media (max-width: 700px) { .cards { grid-template-columns: repeat(auto-fill, minmax(8rem, 1fr)); } .plots figure { margin: .4rem 0; } }
@media print { .sort, .trail, .viewer:target { display: none; } .card { break-inside: avoid; } }
";
