//! The page's style: light or dark as the reader's system says, for narrow and wide screens and for paper, readable without scripts.

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1e21; --quiet: #565d65; --paper: #ffffff; --panel: #f5f6f8; --line: #d9dde2;
  --mesh: #dddddd; --good: #0b7a4b; --bad: #b3401a; --link: #0060a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --quiet: #a3abb5; --paper: #15181c; --panel: #1e2227; --line: #363c44;
  --mesh: #353b43; --good: #4ecb93; --bad: #f0875f; --link: #7cb8ee; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 3.2rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; overflow-wrap: break-word; }
main { width: 100%; max-width: 1300px; margin: 0 auto; padding: 1.1rem 1.25rem 3rem; }
nav { position: sticky; top: 0; z-index: 3; background: var(--paper); border-bottom: 1px solid var(--line); overflow-x: auto; white-space: nowrap;
  padding: .55rem 1.25rem; }
nav a { margin-right: 1.1rem; font-size: .92rem; text-decoration: none; }
@media (min-width: 1100px) { html { scroll-padding-top: 1rem; } body:has(> nav) { display: grid; grid-template-columns: 10.5rem minmax(0, 1fr); align-items: start; }
  nav { height: 100vh; border-bottom: 0; border-right: 1px solid var(--line); padding: 1.4rem 1rem; white-space: normal; }
  nav a { display: block; margin: 0 0 .55rem; } }
a { color: var(--link); }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 1.5rem 0 .35rem; } h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; }
p { margin: .4rem 0; max-width: 75ch; } .question { font-size: 1.1rem; } .quiet, figcaption { color: var(--quiet); font-size: .88rem; }
.answer { font-size: 1.1rem; border-left: 4px solid var(--link); padding: .15rem 0 .15rem .9rem; margin: 1rem 0; }
ul.findings { padding-left: 1.1rem; } ul.findings li { margin: .35rem 0; max-width: 80ch; }
.scroll { overflow-x: auto; } .scroll.long { max-height: min(80vh, 44rem); overflow-y: auto; scroll-padding-top: 3.5rem; border-bottom: 1px solid var(--line); }
.scroll.low { max-height: 27rem; } .long thead th { position: sticky; top: 0; z-index: 1; background: var(--paper); } .long thead th:first-child { z-index: 2; } table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: .92rem; margin: .4rem 0; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; vertical-align: top; }
th:first-child, td:first-child, td.text, th.text { text-align: left; } thead th { color: var(--quiet); font-weight: 600; white-space: normal; vertical-align: bottom; }
table.sortable thead th button { all: unset; cursor: pointer; } table.sortable thead th button:focus-visible, .scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; } th[aria-sort=descending]::after { content: ' ↓'; } th[aria-sort=ascending]::after { content: ' ↑'; }
td a { color: inherit; text-decoration-color: var(--line); text-underline-offset: .2em; }
tr.baseline td, tr.baseline th, tr.group td { background: var(--panel); } tr.group td { text-align: left; white-space: normal; }
td small { display: block; color: var(--quiet); } .up { color: var(--good); } .down { color: var(--bad); }
td.wrap { white-space: normal; min-width: 14rem; } figure { margin: .6rem 0; overflow-x: auto; }
figure svg, figure img { max-width: 100%; height: auto; display: block; }
input { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--quiet); border-radius: 4px; padding: .2rem .5rem; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--link); } code { font-size: .9em; background: var(--panel); padding: .1em .3em; border-radius: 3px; }
pre { background: var(--panel); padding: .75rem 1rem; overflow-x: auto; font-size: .85rem; border-radius: 4px; }
tr.group pre { background: var(--paper); }
.note { border-left: 3px solid var(--line); padding-left: .8rem; }
.banner { border: 1px solid var(--bad); border-left-width: 5px; border-radius: 4px; padding: .35rem .8rem; margin: .6rem 0; max-width: 80rem; } .banner pre { margin: .3rem 0; }
.figures { display: flex; flex-wrap: wrap; gap: 0 1.5rem; align-items: flex-start; } .figures figure { margin: .6rem 0; flex: 0 1 840px; max-width: 100%; } .figures figure.narrow { flex-basis: 400px; }
@media (min-width: 1100px) { .figures figure { flex-basis: 800px; } }
.switch { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; } .choice { display: contents; } .chosen { order: 1; flex-basis: 100%; min-width: 0; }
.choice:has(> label input:not(:checked)) > .chosen { display: none; } .choice label { color: var(--quiet); font-size: .92rem; }
.switches { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin: .3rem 0; color: var(--quiet); font-size: .92rem; }
select { font: inherit; color: var(--ink); background: var(--paper); border: 1px solid var(--quiet); border-radius: 4px; padding: .15rem .3rem; }
.chip { display: inline-block; width: .8em; height: .8em; border-radius: 2px; vertical-align: -.05em; }
table.board th, table.board td { padding: .3rem .45rem; } tbody th { font-weight: 400; } input.shown { margin: 0 .25rem 0 0; vertical-align: -.1em; } svg.bar { vertical-align: -.15em; } svg.bar line { stroke: var(--line); } svg.bar line.interval { stroke: var(--ink); stroke-width: 2; }
svg.bar circle { fill: var(--ink); } [hidden] { display: none !important; }
@media (max-width: 700px) { main { padding: 1rem .9rem 3rem; } nav { padding: .55rem .9rem; } figure svg { max-width: none; } 
  h1 { font-size: 1.4rem; } .scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--paper); white-space: normal; min-width: 8rem;
  max-width: 10rem; } .scroll tbody td:first-child { border-bottom: 0; box-shadow: inset 0 1px var(--line); } tr.baseline td:first-child, .scroll tr.group td:first-child { background: var(--panel); } .scroll tr.group td:first-child { max-width: none; } }
@media print { :root { color-scheme: light; --ink: #000; --quiet: #444; --paper: #fff; --panel: #f2f2f2; --line: #bbb; --mesh: #ddd; --good: #0b7a4b;
  --bad: #b3401a; --link: #000; } nav, .switches, .choice label { display: none; } .chosen { display: block !important; } body:has(> nav) { display: block; } body { font-size: 10pt; } main { max-width: none; padding: 0; } h2, h3 { break-after: avoid; }
  figure, tr { break-inside: avoid; } .scroll, figure { overflow: visible; } .scroll.long, .scroll.low { max-height: none; } table { font-size: 8pt; } th, td { white-space: normal; padding: .2rem .3rem; } }
";
