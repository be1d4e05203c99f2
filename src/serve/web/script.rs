//! The script of live pages: it asks for the page again and replaces the parts that changed. Without it, a reader reloads the page.

pub(super) const SCRIPT: &str = r##"
{
  const live = document.getElementById("live");
  const away = document.getElementById("away");
  const known = new Map();
  for (const part of live.querySelectorAll("[data-live]")) known.set(part.id, part.outerHTML);
  // What a reader has opened stays open, and the focus stays where it is.
  const replace = next => {
    const now = document.getElementById(next.id);
    if (!now) return;
    for (const details of now.querySelectorAll("details[open][id]")) {
      const same = next.querySelector(`#${CSS.escape(details.id)}`);
      if (same) same.open = true;
    }
    const focus = now.contains(document.activeElement) ? document.activeElement.id : "";
    now.replaceWith(next);
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  };
  let tag = "";
  let delay = Number(live.dataset.every);
  const refresh = async () => {
    try {
      const answer = await fetch(location.href, { cache: "no-store", headers: tag ? { "If-None-Match": tag } : {} });
      if (answer.status !== 304) {
        if (!answer.ok) throw new Error(answer.status);
        tag = answer.headers.get("ETag") ?? "";
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of page.querySelectorAll("[data-live]")) {
          if (known.get(part.id) === part.outerHTML) continue;
          known.set(part.id, part.outerHTML);
          replace(part);
        }
        document.title = page.title;
        delay = Number(page.getElementById("live").dataset.every);
      }
      away.hidden = true;
    } catch {
      away.hidden = false;
    }
  };
  const follow = async () => {
    await refresh();
    setTimeout(follow, document.hidden ? 5 * delay : delay);
  };
  setTimeout(follow, delay);
  const search = document.getElementById("search");
  let last;
  search?.addEventListener("input", () => {
    clearTimeout(last);
    last = setTimeout(() => {
      const address = new URL(location.href);
      address.searchParams.set("q", search.value);
      address.searchParams.delete("skip");
      history.replaceState(null, "", address);
      tag = "";
      refresh();
    }, 200);
  });
}
"##;
