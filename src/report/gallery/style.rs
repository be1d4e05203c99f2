//! The gallery's style. Colours are the page's.

pub(in crate::report) const STYLE: &str = "
.gallery-live { display: none; } .gallery.on .gallery-live { display: block; } .gallery.on .gallery-still { display: none; }
.gallery button, .gallery select { font: inherit; font-size: .92rem; color: var(--ink); background: var(--paper); border: 1px solid var(--line); border-radius: 4px; }
.gallery button { cursor: pointer; } .gallery select { border-color: var(--quiet); padding: .2rem .3rem; max-width: 100%; }
.gallery :focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.gallery-tabs { display: flex; flex-wrap: wrap; gap: .3rem; margin: .8rem 0; border-bottom: 1px solid var(--line); padding-bottom: .5rem; }
.gallery-tabs button { padding: .25rem .8rem; } .gallery-tabs button[aria-selected=true] { background: var(--ink); color: var(--paper); border-color: var(--ink); }
.gallery-picks { display: flex; flex-wrap: wrap; gap: .5rem 1.2rem; margin: .6rem 0; font-size: .92rem; color: var(--quiet); }
.gallery-picks label { max-width: 100%; } .gallery-picks label[hidden] { display: none; }
.gallery-columns { display: grid; grid-template-columns: minmax(0, 30rem) minmax(0, 1fr); gap: 1.5rem; align-items: start; }
.gallery canvas { display: block; width: 100%; height: auto; border-radius: 3px; }
.gallery-viewer canvas { cursor: ew-resize; touch-action: pan-y; background: var(--panel); }
.gallery-ends { display: flex; justify-content: space-between; gap: 1rem; font-size: .88rem; margin: .3rem 0 0; } .gallery-ends span:last-child { text-align: right; }
.gallery-slider { display: block; margin: .3rem 0; font-size: .88rem; color: var(--quiet); } .gallery-slider input { display: block; width: 100%; height: 1.6rem; padding: 0; margin: 0; }
.gallery-switches { display: flex; gap: .5rem 1.6rem; margin: .6rem 0; font-size: .92rem; } .gallery-facts { min-height: 5.6rem; margin-bottom: .6rem; font-size: .95rem; }
.gallery-facts p { margin: .15rem 0; } .gallery .right { color: var(--good); } .gallery .wrong { color: var(--bad); }
.gallery-choice p { margin: 0 0 .4rem; } .gallery-thumbs { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .5rem;
  max-height: 27rem; overflow-y: auto; padding: 4px; }
.gallery-thumbs button { display: flex; flex-direction: column; padding: .25rem; text-align: left; font-size: .8rem; line-height: 1.3; }
.gallery-thumbs button[aria-pressed=true] { border-color: var(--link); box-shadow: 0 0 0 2px var(--link); background: var(--panel); }
.gallery-thumbs span { display: block; max-width: 100%; overflow-wrap: anywhere; } .gallery-thumbs span span { display: inline; }
@media (max-width: 820px) { .gallery-columns { grid-template-columns: minmax(0, 1fr); } .gallery-thumbs { max-height: 60vh; } }
.gallery-still figure img { min-width: 0; }
@media print { .gallery.on .gallery-live { display: none; } .gallery.on .gallery-still { display: block; } }
";
