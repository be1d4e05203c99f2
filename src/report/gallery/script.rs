//! The gallery's script. It draws the sheets' tiles on canvases and needs nothing from outside the page.

pub(in crate::report) const SCRIPT: &str = r##"
for (const root of document.querySelectorAll(".gallery")) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const part = name => root.querySelector(`[data-part="${name}"]`);
  const [tabs, panel] = [[...root.querySelectorAll("[role=tab]")], root.querySelector("[role=tabpanel]")];
  const [canvas, slider, thumbs] = [part("canvas"), part("position"), part("thumbs")];
  const start = `#${data.prefix}gallery=`;
  const chosen = { category: -1, seed: 0, a: 0, b: data.variants.length - 1, image: 0, kind: "" };
  const category = () => data.categories[chosen.category];
  const maps = variant => category().seeds[chosen.seed].variants[variant];
  const kindOf = image => category().images[image][1] ?? "good";
  const element = (name, text, properties) => Object.assign(document.createElement(name), { textContent: text }, properties);

  // A sheet is decoded when it is first drawn; everything is drawn again once it is there.
  const decoded = new Map();
  const sheet = name => {
    const key = `${chosen.category}/${name}`;
    if (!decoded.has(key)) {
      const source = root.querySelector(`template[data-category="${chosen.category}"]`).content.querySelector(`[data-sheet="${name}"]`);
      if (!source) return null;
      const image = new Image();
      image.addEventListener("load", () => { draw(); drawThumbs(); });
      image.src = source.getAttribute("src");
      decoded.set(key, image);
    }
    const image = decoded.get(key);
    return image.complete && image.naturalWidth ? image : null;
  };
  const tile = (canvas, name, side, image) => {
    const of = sheet(name);
    if (of) canvas.getContext("2d").drawImage(of, 0, image * side, side, side, 0, 0, canvas.width, canvas.height);
  };
  const between = (canvas, left, right, paint) => {
    const context = canvas.getContext("2d");
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, canvas.height);
    context.clip();
    paint();
    context.restore();
  };
  const paint = (canvas, image, at) => {
    const [input, layer] = category().sides;
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.clearRect(0, 0, canvas.width, canvas.height);
    tile(canvas, "inputs", input, image);
    if (part("maps").checked) {
      between(canvas, 0, at, () => tile(canvas, `${chosen.seed}/${chosen.a}`, layer, image));
      between(canvas, at, canvas.width, () => tile(canvas, `${chosen.seed}/${chosen.b}`, layer, image));
    }
    if (part("truth").checked) tile(canvas, "truth", input, image);
  };
  const draw = () => {
    const at = Math.round(canvas.width * slider.value / 100);
    paint(canvas, chosen.image, at);
    const context = canvas.getContext("2d");
    context.fillStyle = "#141414";
    context.fillRect(at - 3, 0, 6, canvas.height);
    context.fillStyle = "#ffffff";
    context.fillRect(at - 1, 0, 2, canvas.height);
    slider.setAttribute("aria-valuetext", `${slider.value} % A, ${100 - slider.value} % B`);
  };

  const drawThumbs = () => { for (const { value, firstChild } of thumbs.children) paint(firstChild, Number(value), firstChild.width); };

  const outcome = (image, right) => {
    const defective = category().images[image][1] !== null;
    if (right === null) return "";
    return defective ? (right ? "✓ alarm" : "✗ missed") : (right ? "✓ no alarm" : "✗ false alarm");
  };
  const judged = (image, right) => element("span", outcome(image, right), { className: right ? "right" : "wrong" });
  const describe = () => {
    const [name] = category().images[chosen.image];
    const facts = [element("p", "")];
    facts[0].append(element("strong", name), ` (${kindOf(chosen.image)})`);
    let spoken = `${name} (${kindOf(chosen.image)}).`;
    for (const [letter, variant] of [["A", chosen.a], ["B", chosen.b]]) {
      const of = maps(variant);
      const line = element("p", `${letter}: ${data.variants[variant][0]}: `);
      if (of) {
        const [score, right] = [of.scores[chosen.image], of.right[chosen.image]];
        line.append(`${score} `, judged(chosen.image, right), `, rank ${of.ranks[chosen.image]} of ${category().all}`);
        spoken += ` ${letter}: ${score} ${outcome(chosen.image, right)}.`;
      } else line.append("no maps of this seed");
      facts.push(line);
    }
    part("facts").replaceChildren(...facts);
    canvas.setAttribute("aria-label", spoken);
    part("left").textContent = `A: ${data.variants[chosen.a][0]}`;
    part("right").textContent = `B: ${data.variants[chosen.b][0]}`;
    for (const thumb of thumbs.children) thumb.setAttribute("aria-pressed", Number(thumb.value) === chosen.image);
    draw();
  };
  const list = () => {
    const all = category().images.map((_, image) => image);
    const [a, b] = [maps(chosen.a), maps(chosen.b)];
    const apart = image => a && b ? Math.abs(a.ranks[image] - b.ranks[image]) : 0;
    const shown = all.filter(image => !chosen.kind || kindOf(image) === chosen.kind).sort((one, other) => apart(other) - apart(one));
    if (!shown.includes(chosen.image)) chosen.image = shown[0] ?? 0;
    const side = Math.min(category().sides[0], 112);
    thumbs.replaceChildren(...shown.map(image => {
      const [name] = category().images[image];
      const button = element("button", "", { type: "button", value: image, title: name });
      const small = element("canvas", "", { width: side, height: side });
      small.setAttribute("aria-hidden", "true");
      button.append(small, element("span", `${kindOf(image)} ${name.split("/").at(-1).replace(/\.\w+$/, "")}`));
      for (const [letter, of] of [["A", a], ["B", b]]) {
        if (of) {
          const line = element("span", `${letter} ${of.scores[image].replace(" × threshold", "×")} `);
          line.append(judged(image, of.right[image]));
          button.append(line);
        }
      }
      return button;
    }));
    const shares = shown.length === category().all ? "" : ` of ${category().all}`;
    part("count").textContent = `${shown.length}${shares} test images of ${category().name}, with the maps of A`;
    describe();
    drawThumbs();
  };
  const options = (select, values, at) => select.replaceChildren(...values.map(([value, text]) =>
    element("option", text, { value, selected: String(value) === String(at) })));
  const choose = () => {
    for (const name of ["a", "b"]) {
      const select = part(name);
      [...select.options].forEach((option, variant) => { option.disabled = !maps(variant); });
      if (!maps(chosen[name])) chosen[name] = Math.max(0, [...select.options].findIndex(option => !option.disabled));
      select.value = chosen[name];
    }
    list();
  };
  const open = index => {
    chosen.category = index;
    Object.assign(chosen, { seed: 0, image: 0, kind: "" });
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", at === index);
      tab.tabIndex = at === index ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", tabs[index].id);
    const kinds = [...new Set(category().images.map(([, kind]) => kind ?? "good"))].sort((one, other) =>
      (one !== "good") - (other !== "good") || one.localeCompare(other));
    options(part("kind"), [["", "all"], ...kinds.map(kind => [kind, kind])], "");
    options(part("seed"), category().seeds.map(({ seed }, at) => [at, seed]), 0);
    part("seeds").hidden = category().seeds.length < 2;
    choose();
  };
  const address = () => start + [category().name, category().images[chosen.image][0], data.variants[chosen.a][1]].map(encodeURIComponent).join("/");
  // A page inside another page may not be allowed to change its address.
  const remember = () => { try { history.replaceState(null, "", address()); } catch { /* The address stays as it is. */ } };
  const follow = () => {
    if (!location.hash.startsWith(start)) return;
    let parts;
    try { parts = location.hash.slice(start.length).split("/").map(decodeURIComponent); } catch { return; }
    const index = data.categories.findIndex(({ name }) => name === parts[0]);
    if (index < 0) return;
    const variant = data.variants.findIndex(([, name]) => name === parts[2]);
    if (variant === chosen.b) chosen.b = chosen.a;
    if (variant >= 0) chosen.a = variant;
    open(index);
    const image = category().images.findIndex(([name]) => name === parts[1]);
    if (image >= 0) chosen.image = image;
    describe();
    root.scrollIntoView();
  };

  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => { open(index); remember(); });
    tab.addEventListener("keydown", event => {
      const steps = { ArrowRight: index + 1, ArrowLeft: index - 1 + tabs.length, Home: 0, End: tabs.length - 1 };
      if (!(event.key in steps)) return;
      event.preventDefault();
      const next = tabs[steps[event.key] % tabs.length];
      next.focus();
      next.click();
    });
  });
  for (const name of ["a", "b"]) part(name).addEventListener("change", event => { chosen[name] = Number(event.target.value); list(); remember(); });
  part("kind").addEventListener("change", event => { chosen.kind = event.target.value; list(); });
  part("seed").addEventListener("change", event => { chosen.seed = Number(event.target.value); choose(); });
  for (const name of ["maps", "truth"]) part(name).addEventListener("change", () => { draw(); drawThumbs(); });
  slider.addEventListener("input", draw);
  const drag = event => {
    const frame = canvas.getBoundingClientRect();
    slider.value = 100 * (event.clientX - frame.left) / frame.width;
    draw();
  };
  canvas.addEventListener("pointerdown", event => { canvas.setPointerCapture(event.pointerId); drag(event); });
  canvas.addEventListener("pointermove", event => { if (event.buttons) drag(event); });
  thumbs.addEventListener("click", event => {
    const button = event.target.closest("button");
    if (!button) return;
    chosen.image = Number(button.value);
    describe();
    remember();
  });
  root.classList.add("on");
  open(0);
  follow();
  window.addEventListener("hashchange", follow);
}
"##;
