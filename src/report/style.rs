//! The page's look: light and dark by the reader's own setting, readable without scripts.

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1c1e21; --quiet: #5c636b; --paper: #ffffff; --panel: #f5f6f8; --line: #d9dde2;
  --mesh: #dddddd; --good: #0b7a4b; --bad: #b3401a; --link: #0060a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e6ea; --quiet: #9aa3ad; --paper: #15181c; --panel: #1e2227; --line: #363c44;
  --mesh: #353b43; --good: #4ecb93; --bad: #f0875f; --link: #7cb8ee; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; } h3 { font-size: 1rem; margin: 1.5rem 0 .35rem; }
p { margin: .4rem 0; max-width: 75ch; } .question { font-size: 1.1rem; } .quiet, figcaption { color: var(--quiet); font-size: .88rem; }
ul.findings { padding-left: 1.1rem; } ul.findings li { margin: .35rem 0; max-width: 80ch; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .92rem; margin: .4rem 0; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; vertical-align: top; }
th:first-child, td:first-child, td.text, th.text { text-align: left; } thead th { color: var(--quiet); font-weight: 600; }
tr.baseline td { background: var(--panel); } td small { display: block; color: var(--quiet); } .up { color: var(--good); } .down { color: var(--bad); }
td.wrap { white-space: normal; min-width: 9rem; } figure { margin: 1rem 0; } figure svg, figure img { max-width: 100%; height: auto; display: block; }
details { margin: .5rem 0; } summary { cursor: pointer; color: var(--link); } code { font-size: .9em; background: var(--panel); padding: .1em .3em; border-radius: 3px; }
pre { background: var(--panel); padding: .75rem 1rem; overflow-x: auto; font-size: .85rem; border-radius: 4px; }
.note { border-left: 3px solid var(--line); padding-left: .8rem; }
";
