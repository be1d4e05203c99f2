// Checks the page of a run.

function checkWidth() {
  checkPageWidth();
  for (const element of document.querySelectorAll("main p, main li, main h1, main h2, main h3, .viewer svg")) {
    if (!element.checkVisibility() || element.closest(".scroll, figure, pre")) continue;
    const box = element.getBoundingClientRect();
    if (box.right > width + 1 || box.left < -1) addFault(`${quoted(element.textContent)} is cut by the window`);
  }
}

async function checkPictures() {
  const sheets = new Set([...document.querySelectorAll("svg image")].map((image) => image.href.baseVal));
  if (sheets.size !== 2) addFault(`${sheets.size} sheets instead of inputs and maps`);
  for (const sheet of sheets) {
    const image = document.createElement("img");
    image.src = sheet;
    await image.decode().catch(() => addFault(`${sheet} cannot be shown`));
    const tile = document.querySelector(`svg image[href="${sheet}"]`);
    if (image.naturalWidth !== tile.width.baseVal.value) addFault(`${sheet} is ${image.naturalWidth} px wide`);
  }
}

function checkOrder() {
  const items = () => [...document.querySelectorAll("#cards > li")];
  const count = items().length;
  if (!document.querySelector(".sort").checkVisibility()) return addFault("the buttons are hidden");
  for (const button of document.querySelectorAll(".sort button")) {
    // Enter on a focused button is a click.
    button.focus();
    if (document.activeElement !== button) addFault(`${quoted(button.textContent)} cannot have the focus`);
    button.click();
    const places = items().map((item) => Number(item.dataset[button.dataset.by]));
    if (places.length !== count || !places.every((place, index) => place === index)) addFault(`${button.dataset.by}: ${places}`);
    const pressed = [...document.querySelectorAll("[aria-pressed=true]")];
    if (pressed.length !== 1 || pressed[0] !== button) addFault("the pressed button is not marked");
  }
  const names = items().map((item) => item.querySelector(".name").textContent);
  if (names.join() !== [...names].sort().join()) addFault(`not sorted by name: ${names}`);
}

async function checkViewer() {
  const cards = [...document.querySelectorAll("a.card")];
  const open = () => [...document.querySelectorAll(".viewer")].filter((viewer) => viewer.checkVisibility());
  if (open().length) addFault("a viewer is open at first");
  cards[0].focus();
  cards[0].click();
  await wait(100);
  if (open().length !== 1 || "#" + open()[0].id !== cards[0].getAttribute("href")) return addFault("a card opens no viewer");
  if (open()[0].querySelectorAll("svg").length !== 3) addFault("a viewer has not three pictures");
  checkWidth();
  const contours = [...document.querySelectorAll("use")];
  if (!contours.length || contours.some((line) => getComputedStyle(line).fill !== "none")) addFault("contours are filled or missing");
}

checkRequests(location.href.split("#")[0].replace(/[^/]*$/, "images/"));
checkWidth();
await checkAccessibility();
await checkPictures();
checkOrder();
await checkViewer();
document.querySelectorAll("details").forEach((details) => { details.open = true; });
checkWidth();
